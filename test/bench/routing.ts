import { compilePlan, type CompiledPlan, type PlanSource, resolve, type Route } from '../../src/core/dialplan/index.ts';
import {
  type ClinicalService,
  compileRoster,
  type CompiledRoster,
  type EscalationChain,
  layOutShifts,
  type Person,
  type PersonId,
  type RosterRule,
  type RosterSource,
  type ServiceId,
  type Urgency,
  urgencies,
} from '../../src/core/oncall/index.ts';
import { type Instant, instant, zone } from '../../src/core/time/index.ts';

/**
 * How long one routing decision takes: the number is resolved and the primary of the service is looked up.
 * `warm`: when all shifts are laid out, which happens in slices of 2 ms after a roster came into force. `first`: a
 * question that comes before that and lays out the shifts of its tier.
 * `control`: the same answer by a linear scan over routes and services and over the days since the rotation began.
 */
export interface RoutingResult {
  readonly people: number;
  readonly services: number;
  readonly decisions: number;
  readonly first: Percentiles;
  readonly warm: Percentiles;
  readonly control: Percentiles;
  readonly compileMs: { readonly roster: number; readonly plan: number };
  /** Of the compiled roster, without the documents it was made from. */
  readonly indexBytesPerPerson: number;
}

/** A year of shifts of one schedule, the shape in which goalert publishes its own benchmark: all of them laid out. */
export interface YearResult {
  readonly rule: string;
  readonly shifts: number;
  readonly layOut: Percentiles;
}

export function benchYear(runs = 200): YearResult[] {
  const year = { from: instant(START), to: instant(START + 365 * DAY_MS) };
  const people = ['a', 'b', 'c', 'd', 'e'] as PersonId[];
  const since = '2026-01-05T08:00';
  const during = [1, 2, 3, 4, 5].map((weekday) => ({ weekday, fromMinute: 17 * 60, toMinute: 32 * 60 }));
  const rules: Readonly<Record<string, readonly RosterRule[]>> = {
    weekly: [{ kind: 'rotation', everyDays: 7, since, people }],
    daily: [{ kind: 'rotation', everyDays: 1, since, people }],
    hourly: [{ kind: 'hourly', everyHours: 8, since, people }],
    'nights over days': [
      { kind: 'rotation', everyDays: 1, since, people, during },
      { kind: 'rotation', everyDays: 7, since, people },
    ],
  };
  return Object.entries(rules).map(([rule, layers]) => {
    let shifts = 0;
    const lay = () => {
      const laidOut = layOutShifts(layers, zone('America/Chicago'), year);
      shifts = laidOut.length;
      return String(laidOut[0]?.person);
    };
    time(Array.from({ length: runs }), lay);
    return { rule, layOut: time(Array.from({ length: runs }), lay), shifts };
  });
}

export interface Percentiles {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 1);
const WINDOW = { from: instant(START), to: instant(START + 127 * DAY_MS) };
const SIZES = [
  { people: 100, services: 10 },
  { people: 10_000, services: 1_000 },
  { people: 1_000_000, services: 10_000 },
] as const;
const ZONES = ['America/Chicago', 'Europe/Berlin', 'Australia/Lord_Howe'];

export function benchRouting(decisions = 100_000): RoutingResult[] {
  // The code is compiled by its first thousands of runs; those of another roster count as well.
  measure({ people: 100, services: 10 }, decisions);
  return SIZES.map((size) => measure(size, decisions));
}

function measure(size: { readonly people: number; readonly services: number }, decisions: number): RoutingResult {
  const source = aRoster(size);
  const planSource = aPlan(source);
  const heapBefore = heapBytes();
  let started = process.hrtime.bigint();
  const roster = compileRoster(source, WINDOW);
  const rosterMs = sinceUs(started) / 1_000;
  const indexBytesPerPerson = Math.max(0, Math.round((heapBytes() - heapBefore) / size.people));
  started = process.hrtime.bigint();
  const compiled = compilePlan(planSource, roster, new Set(['number-not-in-service']));
  const planMs = sinceUs(started) / 1_000;
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.problems.slice(0, 3)));
  const { plan } = compiled;
  const random = seeded(size.people);
  const question = () => ({
    dialled: planSource.routes[Math.floor(random() * planSource.routes.length)]!.number,
    at: instant(START + Math.floor(random() * 120 * DAY_MS)),
  });
  const once = source.services.map(({ id }, i) => ({
    dialled: numberOf(i, 'stat'),
    at: instant(START + (id.length + i) * 60_000),
  }));
  const questions = Array.from({ length: decisions }, question);
  const first = time(once, (q) => decide(plan, roster, q.dialled, q.at));
  while (roster.layOutNext()) continue;
  const warm = time(questions, (q) => decide(plan, roster, q.dialled, q.at));
  const few = questions.slice(0, Math.min(decisions, 2_000));
  const control = time(few, (q) => scan(planSource, source, q.dialled, q.at));
  return {
    ...size,
    decisions,
    first,
    warm,
    control,
    compileMs: { roster: rosterMs, plan: planMs },
    indexBytesPerPerson,
  };
}

function decide(plan: CompiledPlan, roster: CompiledRoster, dialled: string, at: Instant): string {
  const { verb } = resolve(plan, { dialled, from: 'inside', at });
  if (verb.verb !== 'escalate') throw new Error(`${dialled} escalates`);
  const result = roster.whoIsOnCall(verb.service, 'primary', at);
  if (result.kind !== 'onCall') throw new Error(`${dialled} has a primary`);
  return result.answer.person.id;
}

function scan(plan: PlanSource, roster: RosterSource, dialled: string, at: Instant): string {
  const route = plan.routes.find(({ number }) => number === dialled);
  if (route?.to.verb !== 'escalate') throw new Error(`${dialled} escalates`);
  const { service: id } = route.to;
  const service = roster.services.find((one) => one.id === id)!;
  const rule = service.tiers.primary![0]!;
  if (rule.kind !== 'rotation') throw new Error('the primary rotates');
  let turn = 0;
  for (let day = Date.parse(`${rule.since}Z`); day + rule.everyDays * DAY_MS <= at; day += rule.everyDays * DAY_MS)
    turn++;
  const person = rule.people[turn % rule.people.length]!;
  return roster.people.find((one) => one.id === person)!.id;
}

function time<Q>(questions: readonly Q[], answer: (question: Q) => string): Percentiles {
  const tookUs = new Float64Array(questions.length);
  for (const [i, question] of questions.entries()) {
    const started = process.hrtime.bigint();
    answer(question);
    tookUs[i] = sinceUs(started);
  }
  tookUs.sort();
  const at = (share: number) =>
    Number(tookUs[Math.min(tookUs.length - 1, Math.floor(tookUs.length * share))]!.toFixed(2));
  return { p50Us: at(0.5), p99Us: at(0.99), maxUs: at(1) };
}

function sinceUs(started: bigint): number {
  return Number(process.hrtime.bigint() - started) / 1_000;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function aRoster({ people: count, services: serviceCount }: { people: number; services: number }): RosterSource {
  const people = Array.from({ length: count }, (_, i): Person => {
    return { id: personOf(i), name: `Dr ${i}`, mobile: `+1202${String(5_000_000 + i)}` };
  });
  const chain = (id: string): EscalationChain => ({
    id,
    steps: [{ targets: [{ kind: 'tier', tier: 'primary' }], devices: ['mobile'], dwellMs: 15_000 }],
    lastResort: { kind: 'voicemail', urgent: false },
  });
  const chains = { stat: chain('stat'), urgent: chain('urgent'), routine: chain('routine') };
  const teamSize = Math.min(20, Math.floor(count / serviceCount));
  const services = Array.from({ length: serviceCount }, (_, i): ClinicalService => {
    const team = Array.from({ length: teamSize }, (_, j) => personOf(i * Math.floor(count / serviceCount) + j));
    const everyDays = [1, 7, 3][i % 3]!;
    const time = `${String(i % 24).padStart(2, '0')}:30`;
    return {
      id: `service-${i}` as ServiceId,
      name: `Service ${i}`,
      zone: ZONES[i % ZONES.length]!,
      mailbox: 'office',
      chains,
      tiers: { primary: [{ kind: 'rotation', everyDays, since: `2026-01-05T${time}`, people: team }] },
    };
  });
  return { version: 'sha256:bench', zone: ZONES[0]!, people, services };
}

function aPlan(roster: RosterSource): PlanSource {
  const routes = roster.services.flatMap(({ id }, i) =>
    urgencies.map((urgency): Route => {
      return { number: numberOf(i, urgency), from: 'inside', to: { verb: 'escalate', service: id, urgency } };
    }),
  );
  return {
    version: 'sha256:bench',
    site: 'Bench',
    zone: ZONES[0]!,
    country: 'US',
    operator: '1000',
    trunk: 'carrier',
    mainNumber: '+12025550100',
    extensions: [{ number: '1000', name: 'Operator', kind: 'post', nameId: '' }],
    mailboxes: [{ id: 'office', name: 'Office' }],
    routes,
    flows: {},
    hours: [],
  };
}

function personOf(i: number): PersonId {
  return `dr-${i}` as PersonId;
}

function numberOf(service: number, urgency: Urgency): string {
  return `7${String(service).padStart(5, '0')}${urgencies.indexOf(urgency) + 1}`;
}

/** mulberry32: the same questions in every run. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function tellYear(results: readonly YearResult[]): string {
  const rows = results.map(({ rule, shifts, layOut }) => [
    rule,
    String(shifts),
    layOut.p50Us.toFixed(0),
    layOut.p99Us.toFixed(0),
  ]);
  return [['a year of', 'shifts', 'p50 µs', 'p99 µs'], ...rows]
    .map((row) => row.map((cell) => cell.padStart(16)).join(' '))
    .join('\n');
}

/** One line for each size, with units in the head. */
export function tellRouting(results: readonly RoutingResult[]): string {
  const head = ['people', 'services', 'p50 µs', 'p99 µs', 'first p50', 'first p99', 'scan p50', 'roster ms', 'plan ms'];
  const rows = results.map(({ people, services, warm, first, control, compileMs }) => [
    String(people),
    String(services),
    ...[warm.p50Us, warm.p99Us, first.p50Us, first.p99Us, control.p50Us].map((us) => us.toFixed(2)),
    ...[compileMs.roster, compileMs.plan].map((ms) => ms.toFixed(0)),
  ]);
  return [head, ...rows].map((row) => row.map((cell) => cell.padStart(10)).join(' ')).join('\n');
}

if (import.meta.main) {
  const results = benchRouting();
  const year = benchYear();
  const json = JSON.stringify({ bench: 'routing', results, year }, null, 2);
  process.stdout.write(`${json}\n${tellRouting(results)}\n${tellYear(year)}\n`);
}
