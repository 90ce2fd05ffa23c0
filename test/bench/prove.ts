import {
  CALLER,
  type CallEvent,
  type CallId,
  type CallState,
  expectedCall,
  stepCall,
  type World,
} from '../../src/core/call/index.ts';
import {
  type CompiledPlan,
  compilePlan,
  type PlanSource,
  type Route,
  type Verb,
} from '../../src/core/dialplan/index.ts';
import {
  type ClinicalService,
  compileRoster,
  type EscalationChain,
  indexRoster,
  type Person,
  type PersonId,
  type RosterSource,
  type ServiceId,
  urgencies,
} from '../../src/core/oncall/index.ts';
import { proving } from '../../src/core/prove/index.ts';
import { instant, plusMs } from '../../src/core/time/index.ts';

/** The proof of a large hospital for 90 days, and events through the escalation machine. */

const DAY_MS = 86_400_000;
const from = instant(Date.parse('2026-10-01T00:00:00Z'));
const window = { from: plusMs(from, -7 * DAY_MS), to: plusMs(from, 120 * DAY_MS) };
const zone = 'America/Chicago';
const SERVICES = 500;
const PEOPLE = 3_000;
const TEAM = PEOPLE / SERVICES;

export function benchProve(): readonly object[] {
  return [benchProof(), benchMachine()];
}

function benchProof(): object {
  const { plan, roster } = aHospital();
  const compiled = compileRoster(roster, window);
  const plans = compilePlan(plan, indexRoster(roster), new Set(['number-not-in-service', 'main-menu']));
  if (plans.kind === 'refused') throw new Error(JSON.stringify(plans.problems.slice(0, 3)));
  const [started, startedCpu] = [performance.now(), cpuSeconds()];
  const work = proving(plans.plan, compiled, { from, to: plusMs(from, 90 * DAY_MS) });
  let longestMs = 0;
  let slices = 0;
  for (;;) {
    const began = performance.now();
    const next = work.next();
    longestMs = Math.max(longestMs, performance.now() - began);
    slices += 1;
    if (!next.done) continue;
    const { faults, explored } = next.value;
    if (faults.length > 0) throw new Error(`${faults[0]!.path}: ${faults[0]!.reason}`);
    const seconds = (performance.now() - started) / 1_000;
    const size = { services: SERVICES, people: PEOPLE, days: 90 };
    const took = { seconds: rounded(seconds), cpuSeconds: rounded(cpuSeconds() - startedCpu) };
    return { what: 'proof', ...size, ...explored, ...took, slices, longestSliceMs: rounded(longestMs) };
  }
}

/** STAT calls that nobody takes, each event through the whole machine. */
function benchMachine(calls = 20_000): object {
  const { plan: source, roster: rosterSource } = aHospital();
  const roster = compileRoster(rosterSource, window);
  const compiled = compilePlan(source, indexRoster(rosterSource), new Set(['number-not-in-service', 'main-menu']));
  if (compiled.kind === 'refused') throw new Error('the plan of the benchmark is good');
  while (roster.layOutNext()) continue;
  runCalls(compiled.plan, roster, 2_000);
  const [started, startedCpu] = [performance.now(), cpuSeconds()];
  const events = runCalls(compiled.plan, roster, calls);
  const seconds = (performance.now() - started) / 1_000;
  const cpu = cpuSeconds() - startedCpu;
  const took = { seconds: rounded(seconds), cpuSeconds: rounded(cpu) };
  return { what: 'machine', calls, events, ...took, eventsPerCpuSecond: Math.round(events / cpu) };
}

/** Of this process; what others do on the machine does not count. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

function runCalls(plan: CompiledPlan, roster: ReturnType<typeof compileRoster>, calls: number): number {
  let events = 0;
  for (let i = 0; i < calls; i++) {
    let state: CallState = expectedCall;
    let at = plusMs(from, i * 60_000);
    const step = (event: CallEvent) => {
      const world: World = { at, plan, roster, isRegistered: () => true, trunkFault: () => null };
      state = stepCall(world, state, event).state;
      events += 1;
    };
    step({
      type: 'callArrived',
      callId: 'bench' as CallId,
      caller: { from: { kind: 'phone', extension: '1001' }, number: null },
      dialled: numberOf(i % SERVICES, 0),
      peer: 'bench',
      sipCallId: 'bench',
      acceptDigit: '1',
      messageId: 'bench',
    });
    step({ type: 'callerAnswered', media: { path: 'anchored', codec: 'PCMU', cipher: 'none' } });
    for (let round = 1; round <= 4; round++) {
      for (const leg of [2 * round - 1, 2 * round])
        step({ type: 'legRinging', leg: String(leg) as never, sipStatus: 180 });
      at = plusMs(at, 15_000);
      step({ type: 'stepTimedOut', step: round });
    }
    step({ type: 'promptFinished', leg: CALLER, token: 6 });
    step({ type: 'callerHungUp' });
  }
  return events;
}

function aHospital(): { readonly plan: PlanSource; readonly roster: RosterSource } {
  const staff = Array.from({ length: PEOPLE }, (_, i): Person => {
    return {
      id: personOf(i),
      name: `Dr ${i}`,
      desk: `3${String(i).padStart(4, '0')}`,
      mobile: `+1202${5_000_000 + i}`,
    };
  });
  const operator: Person = { id: 'operator' as PersonId, name: 'Operator', desk: '1000', staffed: true };
  const both = ['desk', 'mobile'] as const;
  const tier = (name: 'primary' | 'backup' | 'attending') => ({ kind: 'tier', tier: name }) as const;
  const chain = (id: string): EscalationChain => ({
    id,
    steps: [
      { targets: [tier('primary')], devices: both, dwellMs: 15_000 },
      { targets: [tier('backup')], devices: both, dwellMs: 15_000 },
      { targets: [tier('attending')], devices: both, dwellMs: 15_000 },
      { targets: [{ kind: 'person', person: operator.id }], devices: ['desk'], dwellMs: 20_000 },
    ],
    lastResort: { kind: 'voicemail', urgent: true },
  });
  const chains = { stat: chain('stat'), urgent: chain('urgent'), routine: chain('routine') };
  const services = Array.from({ length: SERVICES }, (_, i): ClinicalService => {
    const team = Array.from({ length: TEAM }, (_, j) => personOf(i * TEAM + j));
    const since = `2026-01-05T${String(6 + (i % 4)).padStart(2, '0')}:30`;
    const rotation = (people: PersonId[], everyDays: number) =>
      [{ kind: 'rotation', everyDays, since, people }] as const;
    return {
      id: `service-${i}` as ServiceId,
      name: `Service ${i}`,
      zone,
      mailbox: 'office',
      chains,
      tiers: {
        primary: rotation(team, 1),
        backup: rotation([...team].reverse(), 1),
        attending: rotation(team, 7),
      },
    };
  });
  const people = [...staff, operator];
  return { plan: aPlan(people), roster: { version: 'sha256:bench', zone, people, services } };
}

function aPlan(people: readonly Person[]): PlanSource {
  const ring = (extension: string): Verb => ({ verb: 'ring', extension, forMs: 20_000, otherwise: null });
  const routes = Array.from({ length: SERVICES }, (_, i): Route[] => {
    const service = `service-${i}` as ServiceId;
    const ask: Verb = {
      verb: 'askUrgency',
      service,
      prompts: [{ say: 'id', id: 'main-menu' }],
      keys: { 1: 'stat', 2: 'urgent', 3: 'routine' },
      noKeyMs: 5_000,
      noKey: 'urgent',
    };
    const day: Verb = {
      verb: 'hours',
      hours: `h${i % 20}`,
      open: ask,
      closed: { verb: 'escalate', service, urgency: 'stat' },
    };
    return [
      ...urgencies.map((urgency, j): Route => {
        return { number: numberOf(i, j), from: 'inside', to: { verb: 'escalate', service, urgency } };
      }),
      { number: numberOf(i, 8), from: 'inside', to: day },
    ];
  });
  const desks = people.flatMap(({ desk }) => (desk === undefined ? [] : [desk]));
  return {
    version: 'sha256:bench',
    site: 'Bench',
    zone,
    country: 'US',
    operator: '1000',
    trunk: 'carrier',
    mainNumber: '+12025550100',
    extensions: [...desks, '1001'].map((number) => ({ number, name: number, kind: 'unit', nameId: '' })),
    mailboxes: [{ id: 'office', name: 'Office' }],
    routes: [...routes.flat(), ...desks.map((number): Route => ({ number, from: 'inside', to: ring(number) }))],
    flows: {},
    hours: Array.from({ length: 20 }, (_, i) => ({
      id: `h${i}`,
      weekly: [1, 2, 3, 4, 5].map((weekday) => ({ weekday, fromMinute: 420 + i, toMinute: 1_020 - i })),
    })),
  };
}

function personOf(i: number): PersonId {
  return `dr-${i}` as PersonId;
}

function numberOf(service: number, kind: number): string {
  return `7${String(service).padStart(3, '0')}${kind + 1}`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
