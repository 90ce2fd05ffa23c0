import { fc } from '../support/fast-check.ts';
import t from 'tap';
import type { CallFact } from '../../src/core/audit/index.ts';
import { type RecordedFact, replay, retrace } from '../../src/core/simulate/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import { aPlan, aRoster, always, mobiles, noon, phones, statSteps, step } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

// A past call, run through the machine again.

const numbers = [...Object.values(phones), ...Object.values(mobiles)];
const deed = fc.record({
  afterMs: fc.constantFrom(0, 1_000, 5_000, 14_999, 15_000, 15_001, 31_000),
  phone: fc.constantFrom(...numbers),
  does: fc.constantFrom(
    'answers',
    'presses4',
    'presses9',
    'presses7',
    'hangsUp',
    'losesSound',
    'isBusy',
    'declines',
    'key1',
    'key2',
    'key0',
    'callerHangsUp',
  ),
});
const story = fc.record({
  at: fc.integer({ min: -20 * 86_400_000, max: 20 * 86_400_000 }).map((ms) => plusMs(noon, ms)),
  to: fc.constantFrom('7010', '7011', '7012', '7013', '1500', phones.icu, phones.ames, '9999'),
  from: fc.constantFrom(phones.ward, phones.ames, phones.operator),
  unregistered: fc.subarray<string>(Object.values(phones)),
  trunkFault: fc.option(fc.constant('no answer to OPTIONS'), { nil: undefined, freq: 8 }),
  deeds: fc.array(deed, { maxLength: 12 }),
});
const plan = aPlan();
const rotating = aRoster({
  tiers: {
    primary: [{ kind: 'rotation', everyDays: 1, since: '2026-11-01T12:00', people: ['ames', 'bell'] as never }],
    backup: [{ kind: 'rotation', everyDays: 1, since: '2026-11-01T12:00', people: ['bell', 'chen'] as never }],
  },
});

function told({
  at,
  to,
  from,
  unregistered,
  trunkFault,
  deeds,
}: typeof story extends fc.Arbitrary<infer S> ? S : never) {
  const roster = rotating;
  const call = new PaperCall(to, {
    at,
    plan,
    roster,
    from,
    unregistered,
    ...(trunkFault === undefined ? {} : { trunkFault }),
  });
  for (const { afterMs, phone, does } of deeds) {
    call.after(afterMs / 1_000);
    if (call.endings > 0) break;
    if (does.startsWith('key')) call.presses(does.slice(3));
    else if (does === 'callerHangsUp') call.hangsUp();
    else if (call.rang(phone)) deedOf(call, phone, does);
  }
  return call.after(500);
}

function deedOf(call: PaperCall, number: string, does: string): void {
  const phone = call.phone(number);
  const { status } = phone.leg;
  if (does.startsWith('presses')) phone.presses(does.slice(7));
  else if (does === 'answers' && (status === 'ringing' || status === 'cancelled')) phone.answers();
  else if (does === 'isBusy' && status === 'ringing') phone.isBusy();
  else if (does === 'declines' && status === 'ringing') phone.declines();
  else if (does === 'hangsUp' && (status === 'answered' || status === 'bridged')) phone.hangsUp();
  else if (does === 'losesSound' && status === 'bridged') phone.losesSound();
}

/** As the store gives it back. */
function stored(facts: readonly RecordedFact[]): readonly RecordedFact[] {
  return facts.map(({ at, fact }) => {
    const entries = Object.entries(fact).sort(([a], [b]) => (a < b ? -1 : 1));
    return { at, fact: Object.fromEntries(entries) as unknown as CallFact };
  });
}

void t.test('on the documents that decided it, a call is retraced fact by fact, byte for byte', async (t) => {
  let longest = 0;
  let ended = 0;
  fc.assert(
    fc.property(story, (story) => {
      const { facts } = told(story);
      longest = Math.max(longest, facts.length);
      if (facts.at(-1)?.fact.fact === 'ended') ended += 1;
      const verdict = retrace(plan, rotating, stored(facts));
      if (verdict.kind === 'same') return;
      const rest = facts.slice(Math.max(0, verdict.place - 3), verdict.place + 4);
      throw new Error(`differs at ${verdict.place}: ${JSON.stringify(rest)}`);
    }),
    { numRuns: 1_500 },
  );
  t.ok(longest > 30 && ended > 100, `up to ${longest} facts, ${ended} calls to their end`);
});

void t.test('an outside number that somebody dialled is in no verdict', async (t) => {
  const outward = (forMs: number) =>
    aPlan([
      {
        number: '9!',
        from: 'inside',
        to: { verb: 'forward', to: 'dialled', trunk: 'carrier', forMs, otherwise: null },
      },
    ]);
  const [before, proposed] = [outward(20_000), outward(30_000)].map((plan) => ({ plan, roster: aRoster() }));
  const call = new PaperCall('912025550188', { ...before!, from: phones.ward });
  const { facts } = call.after(15);
  const leg = facts.findLast(({ fact }) => fact.fact === 'legRung')?.fact;
  t.match(leg, { target: { kind: 'dialled' } });
  call.phone('912025550188').answers();
  const verdict = replay(stored(call.facts), before!, { ...proposed!, plan: aPlan() });
  t.match(verdict, { kind: 'nobody', then: { kind: 'human', phone: 'the number dialled' } });
  t.notMatch(JSON.stringify(verdict), /5550188/);
});

void t.test('what other documents would have made of a call', async (t) => {
  const roster = aRoster();
  const answeredByBell = new PaperCall('7011', { plan, roster });
  answeredByBell.after(15);
  answeredByBell.phone(phones.bell).answers();
  const { facts } = answeredByBell;
  const before = { plan, roster };
  const under = (proposed: ReturnType<typeof aRoster>) => replay(stored(facts), before, { plan, roster: proposed });
  t.same(under(roster), { kind: 'same' });
  t.match(under(aRoster({ stat: statSteps.map((one) => ({ ...one, dwellMs: 25_000 })) })), {
    kind: 'later',
    then: { person: 'bell', afterMs: 15_000 },
    now: { person: 'bell', afterMs: 25_000 },
  });
  t.match(under(aRoster({ tiers: { primary: always('ames'), backup: always('chen') } })), {
    kind: 'somebodyElse',
    now: { person: 'chen', afterMs: 20_000 },
  });
  t.match(under(aRoster({ stat: [step([{ kind: 'tier', tier: 'primary' }], ['desk'], 15)] })), {
    kind: 'nobody',
    now: { kind: 'message', mailbox: 'cardiology' },
  });
  const missed = new PaperCall('7013', { plan, roster }).after(60);
  const proposed = aRoster({ tiers: { primary: always('bell') } });
  t.match(replay(stored(missed.facts), before, { plan, roster: proposed }), {
    kind: 'somebody',
    now: { person: 'bell' },
  });
});
