import { fc } from '../support/fast-check.ts';
import t from 'tap';
import type { CallFact } from '../../src/core/audit/index.ts';
import {
  acceptSwap,
  applyChange,
  dutyTiers,
  endOverride,
  makeOverride,
  overrideKinds,
  type PersonId,
  rosterInTime,
  type ShiftOverride,
} from '../../src/core/oncall/index.ts';
import { type RecordedFact, replay, retrace } from '../../src/core/simulate/index.ts';
import { type Instant, plusMs } from '../../src/core/time/index.ts';
import { aPlan, aRoster, always, cardiology, mobiles, noon, phones, statSteps, step } from '../support/lakeside.ts';
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

type Told = typeof story extends fc.Arbitrary<infer S> ? S : never;

function told({ at, to, from, unregistered, trunkFault, deeds }: Told, rosterAt = (_at: Instant) => rotating) {
  const call = new PaperCall(to, {
    at,
    plan,
    rosterAt,
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
      const verdict = retrace(plan, rosterInTime(rotating, []), stored(facts));
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
  const inTime = (one: NonNullable<typeof before>) => ({ ...one, roster: rosterInTime(one.roster, []) });
  const verdict = replay(stored(call.facts), inTime(before!), inTime({ ...proposed!, plan: aPlan() }));
  t.match(verdict, { kind: 'nobody', then: { kind: 'human', phone: 'the number dialled' } });
  t.notMatch(JSON.stringify(verdict), /5550188/);
});

const people = ['ames', 'bell', 'chen', 'supervisor'] as readonly string[] as readonly PersonId[];
const change = fc.record({
  /** From the arrival of the call. */
  afterMs: fc.oneof(fc.integer({ min: -3 * 86_400_000, max: 86_400_000 }), fc.integer({ min: -10_000, max: 60_000 })),
  does: fc.constantFrom(...overrideKinds, 'accept', 'undo'),
  tier: fc.constantFrom(...dutyTiers.slice(0, 2)),
  out: fc.constantFrom(...people),
  in: fc.constantFrom(...people),
  begins: fc.integer({ min: -20, max: 20 }).map((hours) => hours * 3_600_000),
  lasts: fc.constantFrom(1, 60, 600, 3_000).map((minutes) => minutes * 60_000),
  row: fc.nat(5),
});

type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

/** All rows there were after each change that was not refused. */
function historyOf(changes: readonly Change[], call: Instant) {
  const history: { readonly at: Instant; readonly rows: readonly ShiftOverride[] }[] = [];
  for (const one of changes.toSorted((a, b) => a.afterMs - b.afterMs)) {
    const now = plusMs(call, one.afterMs);
    const rows = history.at(-1)?.rows ?? [];
    const situation = { roster: rotating.withOverrides(rows), now };
    const decision = decided(one, call, situation);
    if (decision.kind === 'change') history.push({ at: now, rows: applyChange(rows, decision.change) });
  }
  return history;
}

function decided(
  { does, tier, out, in: person, begins, lasts, row }: Change,
  call: Instant,
  situation: Parameters<typeof makeOverride>[1],
) {
  if (does === 'accept') return acceptSwap(row, 'somebody', situation);
  if (does === 'undo') return endOverride(row, 'somebody', situation);
  const from = plusMs(call, begins);
  return makeOverride(
    {
      kind: does,
      service: cardiology,
      tier,
      span: { from, to: plusMs(from, lasts) },
      ...(does === 'swap' ? { other: { from: plusMs(from, 86_400_000), to: plusMs(from, 86_400_000 + lasts) } } : {}),
      out: does === 'add' || does === 'take' ? null : out,
      in: does === 'remove' ? null : person,
      author: 'R. Okafor',
      reason: 'ill',
    },
    situation,
  );
}

void t.test('so it is when people changed who is on call: before, while it rang, and since', async (t) => {
  const seen = { changed: 0, midCall: 0, undone: 0, wrong: 0 };
  fc.assert(
    fc.property(
      story,
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 1_500 }),
      (story, changes, unseenMs) => {
        const history = historyOf(changes, story.at);
        // What the house went by at that moment, though rows were added, accepted and ended since.
        const live = (at: Instant) => {
          const known = history.findLast((one) => plusMs(one.at, unseenMs) <= at);
          return known === undefined ? rotating : rotating.withOverrides(known.rows);
        };
        const { facts } = told(story, live);
        const rows = history.at(-1)?.rows ?? [];
        const verdict = retrace(plan, rosterInTime(rotating, rows), stored(facts));
        if (verdict.kind !== 'same') {
          const rest = facts.slice(Math.max(0, verdict.place - 3), verdict.place + 4);
          throw new Error(`differs at ${verdict.place}: ${JSON.stringify(rest)} ${JSON.stringify(rows)}`);
        }
        if (JSON.stringify(facts).includes('R. Okafor')) seen.changed += 1;
        if (history.some(({ at }) => at > facts[0]!.at && at < facts.at(-1)!.at)) seen.midCall += 1;
        if (rows.some(({ endedAt }) => endedAt !== null)) seen.undone += 1;
        // With everything that is known today it would not be the same.
        const today = { at: () => rotating.withOverrides(rows), lately: () => [rotating.withOverrides(rows)] };
        if (retrace(plan, today, stored(facts)).kind === 'differs') seen.wrong += 1;
      },
    ),
    { numRuns: 700 },
  );
  t.ok(Math.min(...Object.values(seen)) > 4, JSON.stringify(seen));
});

void t.test('what other documents would have made of a call', async (t) => {
  const roster = aRoster();
  const answeredByBell = new PaperCall('7011', { plan, roster });
  answeredByBell.after(15);
  answeredByBell.phone(phones.bell).answers();
  const { facts } = answeredByBell;
  const of = (rules: ReturnType<typeof aRoster>) => ({ plan, roster: rosterInTime(rules, []) });
  const before = of(roster);
  const under = (proposed: ReturnType<typeof aRoster>) => replay(stored(facts), before, of(proposed));
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
  t.match(replay(stored(missed.facts), before, of(proposed)), {
    kind: 'somebody',
    now: { person: 'bell' },
  });
});
