import { compilePlan, type CompiledPlan, type PlanSource, resolve, type Route } from '../../src/core/dialplan/index.ts';
import {
  type ClinicalService,
  compileRoster,
  type CompiledRoster,
  type EscalationChain,
  type OnCallAnswer,
  type Person,
  type PersonId,
  type RosterSource,
  type ServiceId,
  type Urgency,
  urgencies,
} from '../../src/core/oncall/index.ts';
import { type Instant, instant } from '../../src/core/time/index.ts';
import { benchPlan } from './bench-plan.ts';
import { collect } from './collect.ts';
import { sinceUs, timesOf } from './times.ts';

export const DAY_MS = 86_400_000;
export const START = Date.UTC(2026, 10, 1);
const WINDOW = { from: instant(START), to: instant(START + 127 * DAY_MS) };
const ZONES = ['America/Chicago', 'Europe/Berlin', 'Australia/Lord_Howe'];

/** A hospital of this size with its plan, and the questions that it is asked. */
export function houseOf(size: { readonly people: number; readonly services: number }) {
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
  const answer = (question: Question) => decide(plan, roster, question).personId;
  const record = (question: Question) => decide(plan, roster, question).person.mobile ?? '';
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
    asksForRecords: (questions: Questions, first: number, count: number) => timesOf(questions, first, count, record),
    scans: (count: number) => timesOf(anyQuestions(count), 0, count, (question) => scan(planSource, source, question)),
  };
}

interface Question {
  readonly dialled: string;
  readonly at: Instant;
}

export type Questions = (i: number) => Question;

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

/** As a call does it, up to who it is; the answer looks up the rest when that is read. */
function decide(plan: CompiledPlan, roster: CompiledRoster, { dialled, at }: Question): OnCallAnswer {
  const { verb } = resolve(plan, { dialled, from: 'inside', at });
  if (verb.verb !== 'escalate') throw new Error(`${dialled} escalates`);
  const result = roster.whoIsOnCall(verb.service, 'primary', at, verb.place);
  if (result.kind !== 'onCall') throw new Error(`${dialled} has a primary`);
  return result.answer;
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
