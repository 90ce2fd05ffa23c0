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
import { benchPlan } from './bench-plan.ts';
import { collect } from './collect.ts';

/**
 * How long one routing decision takes: the number is resolved and the primary of the service is looked up, as a call
 * does it. The number is a fresh string each time, as it is when it comes out of a datagram; it is made before the clock
 * starts. (A string that lies in the documents would have to be fetched from memory, which is no part of deciding.)
 * `warm`: when all shifts are laid out, which happens in slices of 2 ms after a roster came into force. Every size is
 * asked equally many questions, about any of its services at any moment of 120 days, in any order; the sizes take turns
 * in short rounds, so that whatever else the machine does falls upon all of them.
 * `first`: a question that comes before that and lays out the shifts of its tier.
 * `linearScan`: the same answer by a linear scan over routes and services and over the days since the rotation began.
 */
export interface RoutingResult {
  readonly people: number;
  readonly services: number;
  readonly decisions: number;
  readonly first: Percentiles;
  readonly warm: Percentiles;
  /** p50 over that of the smallest roster in the same round: the median of all rounds. */
  readonly timesSmallest: number;
  /** A tenth of the rounds lies below the first of these, a tenth above the second. */
  readonly timesSmallestInRounds: readonly [number, number];
  readonly linearScan: Percentiles;
  readonly compileMs: { readonly roster: number; readonly plan: number };
  /** Of the compiled roster, without the documents it was made from. */
  readonly indexBytesPerPerson: number;
}

/** A year of shifts of one schedule, the shape in which goalert publishes its own benchmark: all of them laid out. */
export interface YearResult {
  readonly comparedWith: 'goalert: a year of shifts';
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
    timesOf(() => rule, 0, runs, lay);
    const layOut = percentiles(timesOf(() => rule, 0, runs, lay));
    return { comparedWith: 'goalert: a year of shifts', rule, layOut, shifts };
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

/** A thousand decisions take a millisecond or two: what else the machine does changes more slowly than that. */
const ROUNDS = 100;

export function benchRouting(decisions = 100_000): RoutingResult[] {
  // The code is compiled by its first thousands of runs; those of another roster count as well.
  const practice = houseOf(SIZES[0]);
  practice.asksFirst();
  practice.laysOut();
  const houses = SIZES.map((size) => houseOf(size));
  const first = houses.map((house) => percentiles(house.asksFirst()));
  for (const house of houses) house.laysOut();
  const linearScan = houses.map((house) => percentiles(house.scans(decisions / 1_000)));
  collect();
  const each = decisions / ROUNDS;
  for (const house of [practice, ...houses]) house.asks(house.anyQuestions(decisions / 2), 0, decisions / 2);
  const asked = houses.map((house) => ({ house, questions: house.anyQuestions(decisions) }));
  collect();
  const rounds = Array.from({ length: ROUNDS }, (_, round) =>
    asked.map(({ house, questions }) => house.asks(questions, round * each, each)),
  );
  const warm = houses.map((_, i) => percentiles(Float64Array.from(rounds.flatMap((round) => [...round[i]!]))));
  return houses.map(({ size, compileMs, indexBytesPerPerson }, i) => {
    const ratios = rounds
      .map((round) => percentiles(round[i]!).p50Us / percentiles(round[0]!).p50Us)
      .sort((a, b) => a - b);
    return {
      ...size,
      decisions,
      first: first[i]!,
      warm: warm[i]!,
      timesSmallest: twoPlaces(ratios[ROUNDS / 2]!),
      timesSmallestInRounds: [twoPlaces(ratios[ROUNDS / 10]!), twoPlaces(ratios[(9 * ROUNDS) / 10]!)],
      linearScan: linearScan[i]!,
      compileMs,
      indexBytesPerPerson,
    };
  });
}

function houseOf(size: { readonly people: number; readonly services: number }) {
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
  const anyQuestions = (count: number) =>
    askedLike(count, () => ({
      service: Math.floor(random() * size.services),
      afterMs: Math.floor(random() * 120 * DAY_MS),
    }));
  const answer = (question: Question) => decide(plan, roster, question);
  return {
    size,
    compileMs: { roster: rosterMs, plan: planMs },
    indexBytesPerPerson,
    asksFirst() {
      const once = askedLike(size.services, (i) => ({ service: i, afterMs: i * 60_000 }));
      return timesOf(once, 0, size.services, answer);
    },
    laysOut() {
      while (roster.layOutNext()) continue;
    },
    anyQuestions,
    asks: (questions: Questions, first: number, count: number) => timesOf(questions, first, count, answer),
    scans: (count: number) => timesOf(anyQuestions(count), 0, count, (question) => scan(planSource, source, question)),
  };
}

interface Question {
  readonly dialled: string;
  readonly at: Instant;
}

type Questions = (i: number) => Question;

/** Questions that are made one by one, with numbers out of bytes: they lie in flat rows, so as to leave the caches alone. */
function askedLike(
  count: number,
  about: (i: number) => { readonly service: number; readonly afterMs: number },
): Questions {
  const digits = numberOf(0, urgencies[0]!).length;
  const [wire, ats] = [Buffer.alloc(count * digits), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const { service, afterMs } = about(i);
    wire.write(numberOf(service, urgencies[i % urgencies.length]!), i * digits, 'latin1');
    ats[i] = START + afterMs;
  }
  return (i) => ({ dialled: wire.toString('latin1', i * digits, (i + 1) * digits), at: instant(ats[i]!) });
}

function decide(plan: CompiledPlan, roster: CompiledRoster, { dialled, at }: Question): string {
  const { verb } = resolve(plan, { dialled, from: 'inside', at });
  if (verb.verb !== 'escalate') throw new Error(`${dialled} escalates`);
  const result = roster.whoIsOnCall(verb.service, 'primary', at, verb.place);
  if (result.kind !== 'onCall') throw new Error(`${dialled} has a primary`);
  return result.answer.personId;
}

function scan(plan: PlanSource, roster: RosterSource, { dialled, at }: Question): string {
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

/** Of each answer, in microseconds. */
function timesOf<Q>(
  ask: (i: number) => Q,
  first: number,
  count: number,
  answer: (question: Q) => string,
): Float64Array {
  const tookUs = new Float64Array(count);
  // What nobody uses need not be worked out.
  let last = '';
  for (let i = 0; i < count; i++) {
    const question = ask(first + i);
    const started = process.hrtime.bigint();
    last = answer(question);
    tookUs[i] = sinceUs(started);
  }
  if (last === '') throw new Error('nobody');
  return tookUs;
}

function percentiles(timesUs: Float64Array): Percentiles {
  const sorted = timesUs.toSorted();
  const at = (share: number) => twoPlaces(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return { p50Us: at(0.5), p99Us: at(0.99), maxUs: at(1) };
}

function twoPlaces(value: number): number {
  return Number(value.toFixed(2));
}

function sinceUs(started: bigint): number {
  return Number(process.hrtime.bigint() - started) / 1_000;
}

function heapBytes(): number {
  collect();
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
  return benchPlan('sha256:bench', ZONES[0]!, routes);
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
  return [["goalert's year", 'shifts', 'p50 µs', 'p99 µs'], ...rows]
    .map((row) => row.map((cell) => cell.padStart(16)).join(' '))
    .join('\n');
}

/** One line for each size, with units in the head. */
export function tellRouting(results: readonly RoutingResult[]): string {
  const head = [
    'people',
    'services',
    'p50 µs',
    'p99 µs',
    '÷ smallest',
    'in rounds',
    'first p50',
    'first p99',
    'linear scan',
    'roster ms',
    'plan ms',
  ];
  const rows = results.map(
    ({ people, services, warm, timesSmallest, timesSmallestInRounds, first, linearScan, compileMs }) => [
      String(people),
      String(services),
      ...[warm.p50Us, warm.p99Us, timesSmallest].map((us) => us.toFixed(2)),
      timesSmallestInRounds.map((ratio) => ratio.toFixed(2)).join('-'),
      ...[first.p50Us, first.p99Us, linearScan.p50Us].map((us) => us.toFixed(2)),
      ...[compileMs.roster, compileMs.plan].map((ms) => ms.toFixed(0)),
    ],
  );
  return [head, ...rows].map((row) => row.map((cell) => cell.padStart(11)).join(' ')).join('\n');
}

if (import.meta.main) {
  const results = benchRouting();
  const year = benchYear();
  const json = JSON.stringify({ bench: 'routing', results, year }, null, 2);
  process.stdout.write(`${json}\n${tellRouting(results)}\n${tellYear(year)}\n`);
}
