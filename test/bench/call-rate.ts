import { freeUdpPort, until } from '../support/processes.ts';
import { type Sipp, startSipp } from '../support/sipp.ts';
import { commandOf, cpuMs, kernelDrops, machineMs, pssMb, round, sum } from './calls/proc.ts';
import { register, registerOpen, uac, uas } from './calls/scenarios.ts';
import type { Candidate, System, Teardown } from './calls/systems.ts';

/**
 * SIPp -> system -> SIPp beside SIPp -> SIPp: registration, digest on every INVITE, and whatever else the system does with a
 * call. A step is clean when no call failed, nothing was retransmitted and the kernel dropped nothing. Each step has a
 * system of its own that has taken 300 calls before, because code that has just been loaded is slow.
 */
export interface RateStep {
  readonly path: string;
  readonly offeredPerSecond: number;
  readonly seconds: number;
  readonly calls: number;
  /** Calls that either SIPp saw fail, or that never happened. */
  readonly failed: number;
  /** By either SIPp, and what the system sent them again. */
  readonly retransmitted: number;
  /** Datagrams that the kernel threw away because somebody was too slow to take them (RcvbufErrors). */
  readonly kernelDrops: number;
  readonly isClean: boolean;
  /** From the INVITE that carries the credentials to the 180 that the caller sees. */
  readonly ringP50Ms: number;
  readonly ringP99Ms: number;
  /** CPU of the system under test per call, user and system; all of it and by process. */
  readonly cpuMsPerCall: number | null;
  readonly signallingMs: number | null;
  readonly appMs: number | null;
  readonly mediaMs: number | null;
  /** Proportional memory (PSS) of all its processes after the last call. */
  readonly pssMb: number | null;
  /** What all other processes of the machine but the SIPps used meanwhile, in percent of one core: a figure with
   * much of it tells little. */
  readonly otherCpuPercent: number;
}

const WARM_UP_CALLS = 300;
const WARM_UP_RATE = 30;

/** null among the systems: SIPp to SIPp. */
export async function benchCallRate(
  systems: readonly (Candidate | null)[],
  rates: readonly number[],
  seconds: number,
): Promise<RateStep[]> {
  const steps: RateStep[] = [];
  for (const system of systems) {
    if (system) console.log(`${system.name}: ${system.configuration}`);
    for (const rate of rates) {
      // A fresh process per step: after one collapse a server may stay slow.
      const step = await runStep(system, rate, seconds).catch((error: Error) => error);
      // The others are worth measuring all the same.
      if (step instanceof Error) {
        console.log(`${system?.name ?? 'SIPp to SIPp'} could not be measured: ${step.message}`);
        break;
      }
      steps.push(step);
      if (!step.isClean) break;
    }
  }
  return steps;
}

async function runStep(candidate: Candidate | null, rate: number, seconds: number): Promise<RateStep> {
  const undo: (() => unknown)[] = [];
  const t = { teardown: (fn: () => unknown) => void undo.unshift(fn) };
  try {
    const calls = rate * seconds;
    const args = ['-buff_size', '4000000', '-trace_stat', '-fd', '1'];
    const warm = candidate === null ? 0 : WARM_UP_CALLS;
    const answering = await startSipp(t, {
      keepsMessages: false,
      calls: calls + warm,
      localPort: await freeUdpPort(),
      scenario: uas,
      args,
    });
    const system = candidate === null ? null : await candidate.start(t);
    if (system) {
      await registerPhone(t, system, answering.port);
      await warmUp(t, system);
    }
    const before = usage(system);
    const asking = await startSipp(t, {
      calls,
      keepsMessages: false,
      remote: system ? system.sip : `127.0.0.1:${answering.port}`,
      scenario: uac(system ?? { challenge: null, isProxied: false }),
      service: '2102',
      ...(system ? { user: '2101', password: system.password('2101') } : {}),
      rate,
      args: [
        ...args,
        '-trace_rtt',
        ...['-rtt_freq', '1', '-l', String(rate * 10)],
        ...['-timeout', `${seconds + 60}s`],
      ],
    });
    const generators = [asking.child.pid ?? 0, answering.child.pid ?? 0];
    const generatorsAt = generators.map(cpuMs);
    const generatorMs = () => sum(generators.map((pid, i) => Math.max(0, cpuMs(pid) - (generatorsAt[i] ?? 0))));
    let generated = 0;
    const watch = setInterval(() => {
      generated = Math.max(generated, generatorMs());
    }, 250);
    await asking.done;
    const after = usage(system);
    clearInterval(watch);
    // Its last call is still saying goodbye, and whatever is sent again comes half a second later.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await answering.close();
    return {
      path: candidate?.name ?? 'SIPp to SIPp',
      offeredPerSecond: rate,
      seconds,
      calls,
      ...outcome({ calls, warm }, asking, answering, after.kernelDrops - before.kernelDrops),
      ...ringTimes(asking),
      ...perCall(before, after, calls),
      pssMb: system ? pssMb(system.pids()) : null,
      otherCpuPercent: Math.round(
        ((after.machineMs - before.machineMs - (after.systemMs - before.systemMs) - generated) * 100) /
          (after.atMs - before.atMs),
      ),
    };
  } finally {
    for (const fn of undo) await fn();
  }
}

/** Again until it is taken: a peer that listens already may not have started yet. */
export async function registerPhone(t: Teardown, system: System, port: number, extension = '2102'): Promise<void> {
  let complaint = '';
  await until('the answering phone to be registered', async () => {
    const registering = await startSipp(t, {
      remote: system.sip,
      scenario: system.challenge === null ? registerOpen : register,
      user: extension,
      password: system.password(extension),
      keys: { contact: `127.0.0.1:${port}`, extension },
    });
    const isRegistered = (await registering.done) === 0;
    complaint = registering.errors();
    return isRegistered;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${complaint}`);
  });
}

/** A process that has just started runs its code uncompiled; one that serves calls has not just started. */
export async function warmUp(t: Teardown, system: System): Promise<void> {
  const warming = await startSipp(t, {
    remote: system.sip,
    scenario: uac(system),
    service: '2102',
    user: '2101',
    password: system.password('2101'),
    calls: WARM_UP_CALLS,
    rate: WARM_UP_RATE,
    keepsMessages: false,
    args: ['-timeout', '60s'],
  });
  if ((await warming.done) !== 0) throw new Error(`calls failed while it was warmed up: ${warming.errors()}`);
}

function outcome(of: { calls: number; warm: number }, asking: Sipp, answering: Sipp, kernelDrops: number) {
  const [asked, answered] = [asking.statistics(), answering.statistics()];
  const failed = Math.max(
    of.calls - asked.number('SuccessfulCall(C)'),
    of.calls + of.warm - answered.number('SuccessfulCall(C)'),
    answered.number('FailedCall(C)'),
  );
  const again = (stat: typeof asked) => stat.number('Retransmissions(C)') + stat.number('DeadCallMsgs(C)');
  const retransmitted = again(asked) + again(answered);
  return { failed, retransmitted, kernelDrops, isClean: failed === 0 && retransmitted === 0 && kernelDrops === 0 };
}

function ringTimes(asking: Sipp) {
  const tookMs = asking.responseTimesMs().sort((a, b) => a - b);
  const at = (part: number) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * part))] ?? Number.NaN;
  return { ringP50Ms: round(at(0.5)), ringP99Ms: round(at(0.99)) };
}

interface Usage {
  readonly atMs: number;
  readonly machineMs: number;
  readonly systemMs: number;
  readonly signallingMs: number;
  readonly mediaMs: number;
  readonly kernelDrops: number;
}

function usage(system: System | null): Usage {
  const pids = system?.pids() ?? [];
  const of = (isOne: RegExp) => sum(pids.filter((pid) => isOne.test(commandOf(pid))).map(cpuMs));
  return {
    atMs: performance.now(),
    machineMs: machineMs(),
    systemMs: sum(pids.map(cpuMs)),
    signallingMs: of(/\/src\/sipd\/main\.ts|\/drachtio\S* /),
    mediaMs: of(/\/src\/mediad\/main\.ts|\/freeswitch /),
    kernelDrops: kernelDrops(),
  };
}

function perCall(before: Usage, after: Usage, calls: number) {
  const of = (what: 'systemMs' | 'signallingMs' | 'mediaMs') => round((after[what] - before[what]) / calls);
  if (after.systemMs === 0) return { cpuMsPerCall: null, signallingMs: null, appMs: null, mediaMs: null };
  const [cpuMsPerCall, signallingMs, mediaMs] = [of('systemMs'), of('signallingMs'), of('mediaMs')];
  return { cpuMsPerCall, signallingMs, appMs: round(cpuMsPerCall - signallingMs - mediaMs), mediaMs };
}
