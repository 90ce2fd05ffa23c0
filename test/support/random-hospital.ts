import { fc } from './fast-check.ts';
import { compilePlan, type CompiledPlan, type PlanSource, type Verb } from '../../src/core/dialplan/index.ts';
import {
  checkRoster,
  type ClinicalService,
  type CompiledRoster,
  compileRoster,
  type EscalationChain,
  indexRoster,
  type Person,
  type PersonId,
  type RosterSource,
  type ServiceId,
  urgencies,
} from '../../src/core/oncall/index.ts';
import { instant, plusMs, type Span } from '../../src/core/time/index.ts';
import type { PhoneOutcome } from '../../src/core/simulate/index.ts';

/** Hospitals that nobody would build, with every verb and many mistakes. The clocks change in the middle of the span. */

const DAY_MS = 86_400_000;
export const span: Span = {
  from: instant(Date.parse('2026-10-30T12:00:00Z')),
  to: instant(Date.parse('2026-11-02T12:00:00Z')),
};
const zone = 'America/Chicago';
const people = ['p0', 'p1', 'p2', 'p3'] as const;
const posts = ['operator', 'house'] as const;
const service = fc.constantFrom('s0', 's1').map((id) => id as ServiceId);
const urgency = fc.constantFrom(...urgencies);
const ms = fc.constantFrom(5_000, 15_000, 30_000, 60_000);
const say = [{ say: 'id', id: 'main-menu' }] as const;

// The last one ends when odd hours begin, and begins when they end: whoever is on duty by it is so behind closed doors.
const during = fc.constantFrom(
  undefined,
  undefined,
  [1, 2, 3, 4, 5].map((weekday) => ({ weekday, fromMinute: 480, toMinute: 1_020 })),
  [
    ...[1, 2, 3, 4, 5].map((weekday) => ({ weekday, fromMinute: 0, toMinute: 1_440 })),
    { weekday: 7, fromMinute: 0, toMinute: 90 },
    { weekday: 7, fromMinute: 121, toMinute: 1_440 },
  ],
);
const rule = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...people), during).map(([name, during]) => {
      return { kind: 'always', person: name as PersonId, ...(during && { during }) } as const;
    }),
  },
  fc.record({
    kind: fc.constant('rotation' as const),
    everyDays: fc.constantFrom(1, 7),
    // The last two begin in the span, one of them in the hour that is shown twice.
    since: fc.constantFrom('2026-01-05T08:00', '2026-10-05T20:00', '2026-10-31T07:00', '2026-11-01T01:30'),
    people: fc.shuffledSubarray([...people], { minLength: 1 }).map((names) => names as unknown as PersonId[]),
  }),
);
const tiers = fc.record(
  { primary: fc.array(rule, { minLength: 1, maxLength: 2 }), backup: fc.tuple(rule), attending: fc.tuple(rule) },
  { requiredKeys: [] },
);
const target = fc.oneof(
  fc.constantFrom('primary', 'backup', 'attending').map((tier) => ({ kind: 'tier', tier })),
  fc.constantFrom(...posts).map((person) => ({ kind: 'person', person })),
);
const chain = fc.record(
  {
    steps: fc.array(
      fc.record({
        targets: fc.array(target, { minLength: 1, maxLength: 2 }),
        devices: fc.constantFrom(['desk'], ['mobile'], ['desk', 'mobile']),
        dwellMs: ms,
      }),
      { minLength: 1, maxLength: 4 },
    ),
    withinMs: fc.constantFrom(20_000, 45_000, 80_000, 200_000),
  },
  { requiredKeys: ['steps'] },
);

const rosterSource: fc.Arbitrary<RosterSource> = fc
  .record({
    devices: fc.array(fc.constantFrom('desk', 'mobile', 'both', 'both'), { minLength: 4, maxLength: 4 }),
    isSupervisorStaffed: fc.boolean(),
    services: fc.array(
      fc.record({ tiers, chains: fc.tuple(chain, chain, chain), mailbox: fc.constantFrom('box0', 'box1') }),
      {
        minLength: 2,
        maxLength: 2,
      },
    ),
  })
  .map(({ devices, isSupervisorStaffed, services }) => {
    const doctors = people.map((id, i): Person => {
      const desk = devices[i] === 'mobile' ? {} : { desk: `310${i}` };
      const mobile = devices[i] === 'desk' ? {} : { mobile: `+1202555011${i}` };
      return { id: id as PersonId, name: `Dr ${i}`, ...desk, ...mobile };
    });
    const operator: Person = { id: 'operator' as PersonId, name: 'Operator', desk: '1000', mobile: '+12025550191' };
    const supervisor: Person = {
      id: 'house' as PersonId,
      name: 'Supervisor',
      desk: '1001',
      mobile: '+12025550190',
      ...(isSupervisorStaffed ? { staffed: true } : {}),
    };
    return {
      version: 'sha256:roster',
      zone,
      people: [...doctors, operator, supervisor],
      services: services.map((one, i): ClinicalService => {
        const [stat, urgent, routine] = one.chains.map((own, j): EscalationChain => {
          return {
            id: `c${i}${j}`,
            ...own,
            lastResort: { kind: 'voicemail', urgent: false },
          } as unknown as EscalationChain;
        });
        return {
          id: `s${i}` as ServiceId,
          name: `Service ${i}`,
          zone,
          tiers: one.tiers,
          mailbox: one.mailbox,
          chains: { stat: stat!, urgent: urgent!, routine: routine! },
        };
      }),
    };
  });

const leaf: fc.Arbitrary<Verb> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('escalate' as const), service, urgency }) },
  fc.record({
    verb: fc.constant('askUrgency' as const),
    service,
    prompts: fc.constant(say),
    keys: fc.constant({ 1: 'stat', 2: 'urgent' } as const),
    noKeyMs: ms,
    noKey: urgency,
  }),
  fc.record({
    verb: fc.constant('voicemail' as const),
    mailbox: fc.constantFrom('box0', 'box1'),
    urgent: fc.boolean(),
    greeting: fc.constant([]),
  }),
  fc.constant<Verb>({ verb: 'refuse', cause: 'notAllowed', prompts: [] }),
  fc.constant<Verb>({ verb: 'hangUp', cause: 'planGoodbye', prompts: [] }),
  { weight: 2, arbitrary: ms.map((forMs): Verb => ({ verb: 'operator', forMs, otherwise: null })) },
  fc.constant<Verb>({ verb: 'ring', extension: '2102', forMs: 20_000, otherwise: null }),
  fc.constant<Verb>({ verb: 'run', flow: 'f0' }),
  fc.constant<Verb>({ verb: 'run', flow: 'f1' }),
  fc.constant<Verb>({ verb: 'transfer', number: '7001' }),
);

function verbOf(depth: number): fc.Arbitrary<Verb> {
  if (depth === 0) return leaf;
  const below = verbOf(depth - 1);
  const perhaps = fc.option(below, { freq: 3 });
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    fc.record({
      verb: fc.constant('hours' as const),
      hours: fc.constantFrom('day', 'odd'),
      open: below,
      closed: below,
    }),
    fc.record({
      verb: fc.constant('menu' as const),
      id: fc.constant('menu'),
      greeting: fc.constant([]),
      prompts: fc.constant(say),
      keys: fc.record({ 1: below, 2: below }),
      noKeyMs: fc.constantFrom(5_000, 50_000),
      tries: fc.constantFrom(1, 3),
      wrongKey: fc.constant([]),
      noKey: fc.constant([]),
      otherwise: below,
    }),
    fc.record({
      verb: fc.constant('gather' as const),
      id: fc.constant('gather'),
      prompts: fc.constant(say),
      maxDigits: fc.constant(4),
      noKeyMs: fc.constant(5_000),
      tries: fc.constantFrom(1, 2),
      wrong: fc.constant([]),
      digits: fc.record({ '21xx': below, '5': below }),
      otherwise: below,
    }),
    fc.record({
      verb: fc.constant('ring' as const),
      extension: fc.constantFrom('2102', '1001', '1000'),
      forMs: ms,
      otherwise: perhaps,
    }),
    fc.record({ verb: fc.constant('operator' as const), forMs: ms, otherwise: perhaps }),
    fc.record({ verb: fc.constant('ringGroup' as const), group: fc.constantFrom('g0', 'g1'), otherwise: perhaps }),
    fc.record({
      verb: fc.constant('forward' as const),
      to: fc.constant('+12025550777'),
      trunk: fc.constant('carrier'),
      forMs: ms,
      otherwise: perhaps,
    }),
    fc.record({ verb: fc.constant('play' as const), prompts: fc.constant(say), times: fc.constant(1), then: below }),
    fc.record({
      verb: fc.constant('lookup' as const),
      hook: fc.constant('ehr'),
      answers: fc.record({ yes: below }),
      otherwise: below,
    }),
    fc.record({
      verb: fc.constant('choose' as const),
      by: fc.constant('unit' as const),
      cases: fc.record({ icu: below }),
      otherwise: below,
    }),
    fc.record({
      verb: fc.constant('choose' as const),
      by: fc.constant('urgency' as const),
      cases: fc.record({ stat: below }),
      otherwise: below,
    }),
    fc.record({ verb: fc.constant('setUrgency' as const), urgency, then: below }),
  );
}

const extension = (number: string, unit?: string) => {
  return { number, name: number, kind: 'unit' as const, nameId: '', ...(unit === undefined ? {} : { unit }) };
};

const planSource: fc.Arbitrary<PlanSource> = fc
  .record({ a: verbOf(3), b: verbOf(2), c: verbOf(2), f0: verbOf(1), f1: verbOf(1), isClaimed: fc.boolean() })
  .map(({ a, b, c, f0, f1, isClaimed }) => ({
    version: 'sha256:plan',
    site: 'Random',
    zone,
    country: 'US',
    operator: '1000',
    trunk: 'carrier',
    mainNumber: '+12025550100',
    units: [
      { id: 'icu', name: 'ICU' },
      { id: 'ward', name: 'Ward' },
    ],
    groups: [
      { id: 'g0', name: 'Group 0', members: ['2102', '1001'], order: 'all', forMs: 20_000 },
      { id: 'g1', name: 'Group 1', members: ['2102', '1000'], order: 'sequential', forMs: 20_000 },
    ],
    hooks: [{ id: 'ehr', url: 'http://127.0.0.1/', waitMs: 2_000, send: [] }],
    extensions: [
      extension('2101', 'ward'),
      extension('2102', 'icu'),
      ...['1000', '1001', '3100', '3101', '3102', '3103'].map((number) => extension(number)),
    ],
    mailboxes: [
      { id: 'box0', name: 'Box 0', ...(isClaimed ? { claimedBy: '1000' } : {}) },
      { id: 'box1', name: 'Box 1' },
    ],
    routes: [
      { number: '7000', from: 'inside', to: a },
      { number: '7001', from: 'inside', to: b },
      { number: '+12025550100', from: 'trunk', to: c },
    ],
    flows: { f0, f1 },
    hours: [
      { id: 'day', weekly: [1, 2, 3, 4, 5].map((weekday) => ({ weekday, fromMinute: 480, toMinute: 1_020 })) },
      {
        id: 'odd',
        weekly: [
          { weekday: 7, fromMinute: 90, toMinute: 121 },
          { weekday: 6, fromMinute: 0, toMinute: 1_440 },
        ],
      },
    ],
  }));

interface Hospital {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
}

const prompts = new Set(['number-not-in-service', 'main-menu']);

/** null where the documents would be refused before anything is proved. */
function compiled(plan: PlanSource, roster: RosterSource): Hospital | null {
  if (checkRoster(roster).length > 0) return null;
  const done = compilePlan(plan, indexRoster(roster), prompts);
  if (done.kind === 'refused') return null;
  return {
    plan: done.plan,
    roster: compileRoster(roster, { from: plusMs(span.from, -DAY_MS), to: plusMs(span.to, DAY_MS) }),
  };
}

export const hospital: fc.Arbitrary<Hospital | null> = fc
  .tuple(planSource, rosterSource)
  .map(([plan, roster]) => compiled(plan, roster));

const outcome: fc.Arbitrary<PhoneOutcome> = fc.record({
  kind: fc.constantFrom('noAnswer', 'noAnswer', 'machine', 'declines', 'busy', 'unreachable', 'answers'),
  afterMs: fc.constantFrom(0, 1_000, 14_999, 15_000, 29_999, 60_000),
});

/** A call that somebody might make, with what phones and caller do. */
export const aCall = fc.record({
  caller: fc.constantFrom('2101', '2102', null),
  to: fc.constantFrom('7000', '7001', '+12025550100'),
  // Mostly around where something changes.
  at: fc.oneof(
    fc.integer({ min: 0, max: span.to - span.from - 600_000 }).map((after) => plusMs(span.from, after)),
    fc
      .tuple(
        fc.constantFrom(
          '2026-10-31T12:00:00Z',
          '2026-11-01T06:30:00Z',
          '2026-11-01T07:30:00Z',
          '2026-11-01T08:01:00Z',
          '2026-10-30T22:00:00Z',
        ),
        fc.integer({ min: -90_000, max: 5_000 }),
      )
      .map(([text, after]) => plusMs(instant(Date.parse(text)), after)),
  ),
  keys: fc.array(fc.constantFrom('', '1', '2', '5', '2101', '9'), { maxLength: 5 }),
  outcomes: fc.array(outcome, { minLength: 8, maxLength: 8 }),
  nobodyAnswers: fc.boolean(),
  unregistered: fc.subarray(['3100', '3101', '3102', '3103', '2102']),
});
