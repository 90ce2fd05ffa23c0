import { fc } from '../support/fast-check.ts';
import t from 'tap';
import { simulate } from '../../src/core/simulate/index.ts';
import { instant, plusMs } from '../../src/core/time/index.ts';
import { aPlan, aRoster, always, noon, phones, step } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

// What an admin is told beforehand is what happens: two shells that know nothing of each other, one machine.

const people = ['ames', 'bell', 'chen'];
const hourMs = 3_600_000;
const plan = aPlan();

const rule = fc.oneof(
  fc.constantFrom(...people).map((name) => always(name)[0]!),
  fc.record({
    kind: fc.constant('rotation' as const),
    everyDays: fc.constantFrom(1, 7),
    since: fc.constantFrom('2026-11-01T07:00', '2026-11-23T12:00', '2026-11-30T00:00'),
    people: fc.shuffledSubarray(people, { minLength: 1 }),
  }),
);
const tiers = fc.record(
  { primary: fc.tuple(rule), backup: fc.tuple(rule), attending: fc.tuple(rule) },
  { requiredKeys: [] },
);
const target = fc.oneof(
  fc.constantFrom('primary', 'backup', 'attending').map((tier) => ({ kind: 'tier', tier })),
  fc.constantFrom('operator', 'supervisor').map((person) => ({ kind: 'person', person })),
);
const aStep = fc.record({
  targets: fc.array(target, { minLength: 1, maxLength: 3 }),
  devices: fc.constantFrom(['desk'], ['mobile'], ['desk', 'mobile']),
  seconds: fc.integer({ min: 1, max: 60 }),
});
const story = fc.record({
  // Around a hand-over, so that some fall into a call.
  at: fc
    .oneof(fc.integer({ min: -90_000, max: 5_000 }), fc.integer({ min: -20 * 24 * hourMs, max: 20 * 24 * hourMs }))
    .map((ms) => plusMs(noon, ms)),
  tiers,
  steps: fc.array(aStep, { minLength: 1, maxLength: 5 }),
  from: fc.constantFrom(phones.ward, phones.ames, phones.operator),
  unregistered: fc.subarray<string>(Object.values(phones)),
});

void t.test('the simulation rings whom the live call rings, at the same second, and skips the others', async (t) => {
  let handOvers = 0;
  fc.assert(
    fc.property(story, ({ at, tiers, steps, from, unregistered }) => {
      const stat = steps.map(({ targets, devices, seconds }) => step(targets as never, devices as never, seconds));
      const roster = aRoster({ tiers: tiers as never, stat });
      const live = new PaperCall('7011', { at, plan, roster, from, unregistered }).after(400);
      const isRegistered = (extension: string) => !unregistered.includes(extension);
      const simulation = simulate(plan, roster, { from, to: '7011', at, isRegistered });

      const told = simulation.happens.flatMap((happening) => (happening.kind === 'step' ? [happening] : []));
      handOvers += told.filter((told) => told.considered.some(({ afterMs }) => afterMs > told.afterMs)).length;
      const rungBySimulation = told.flatMap(({ step, considered }) =>
        considered.map(({ person, device, phone, verdict, because, afterMs }) => {
          return { step, person: person?.id ?? '', device, phone, verdict, because, at: at + afterMs };
        }),
      );
      const rungLive: unknown[] = [];
      for (const [i, { at, fact }] of live.facts.entries()) {
        if (fact.fact !== 'considered') continue;
        const { step, person, device, verdict, because } = fact;
        const next = live.facts[i + 1]?.fact;
        const target = verdict === 'rung' && next?.fact === 'legRung' ? next.target : null;
        const phone =
          target === null
            ? null
            : target.kind === 'extension'
              ? target.extension
              : target.kind === 'number'
                ? target.e164
                : '';
        rungLive.push({ step, person, device, phone, verdict, because, at });
      }
      const a = JSON.stringify(rungBySimulation);
      const b = JSON.stringify(rungLive);
      if (a !== b) throw new Error(`told ${a}\nlive ${b}`);

      const reached = live.facts.find(({ fact }) => fact.fact === 'nobodyAccepted');
      const { next } = simulation;
      if (next.kind !== 'takesMessage') throw new Error(`ends with ${next.kind}`);
      if (reached?.at !== at + next.afterMs) throw new Error(`voicemail at ${reached?.at}, told ${at + next.afterMs}`);
    }),
    { numRuns: 400 },
  );
  t.ok(handOvers > 0, 'some hand-overs fell into a step');
});

void t.test('a plain call and a menu end in the simulation as they do live', async (t) => {
  const calls: readonly [string, string][] = [
    [phones.ames, phones.bell],
    [phones.ward, phones.icu],
    [phones.ward, phones.ward],
    [phones.ward, '9999'],
    [phones.ward, '1500'],
    [phones.ward, '7010'],
  ];
  for (const [from, to] of calls) {
    const live = new PaperCall(to, { from, plan }).after(600);
    const told = simulate(plan, aRoster(), { from, to, at: instant(noon) });
    let { next } = told;
    while (next.kind === 'asks') next = next.noKey.next;
    if (live.recording) t.match(next, { kind: 'takesMessage', mailbox: live.recording.mailbox }, `${from} to ${to}`);
    else t.match(next, { kind: 'ends', cause: live.endedBecause }, `${from} to ${to}`);
  }
});
