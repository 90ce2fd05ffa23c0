import { fork } from 'node:child_process';
import { join } from 'node:path';
import { House } from '../support/house.ts';
import { stopChild, until } from '../support/processes.ts';
import { ROOT } from '../support/root.ts';
import { startSipp } from '../support/sipp.ts';
import type { PhoneCounts, PhonesSaid } from './answering-phones.ts';
import { registerPhone, warmUp } from './call-rate.ts';
import { kernelDrops, pssMb, round } from './calls/proc.ts';
import { uac } from './calls/scenarios.ts';
import type { Teardown } from './calls/systems.ts';

/** A number whose calls are never shed; it rings like any other. */
const STAT = '1001';

/** The ladder on which the maximum is found: seconds of each step, and what comes after the first one. */
const rungSeconds = 8;
const firstRung = 40;
const nextRung = 1.25;
/** Of the calls so many must go well; after two rungs in a row where they did not, there is no more to be had. */
const clean = 0.98;
const rungsMissed = 2;

/** Looked at this often after the last caller has hung up, until the goodput of half of the maximum is back. */
const probeSeconds = 1;
const probes = 30;

export interface OverloadStep {
  /** Of the maximum that was found in this run. */
  readonly times: number;
  readonly max: number;
  readonly offeredPerSecond: number;
  readonly statPerSecond: number;
  readonly seconds: number;
  /** Calls that were answered and ended well at the telephones, per second; and all of them as a share of what was offered up to `max`. */
  readonly routinePerSecond: number;
  readonly goodput: number;
  /** Share of the STAT calls that were; `statSeen`: that their callers saw through. */
  readonly stat: number;
  readonly statSeen: number;
  /** From the first INVITE with credentials to ringing, of STAT calls. */
  readonly statRingP50Ms: number;
  readonly statRingP99Ms: number;
  /** After the step, until calls at half of the maximum go well again; null: not within half a minute. */
  readonly recoveredAfterSeconds: number | null;
  readonly kernelDrops: number;
  readonly pssMb: number;
}

/**
 * B4: offered load as a multiple of the most calls a second that go well, found in the same house just before, for
 * others use the machine too; one call in ten STAT. `max` above 0 is taken as told. The callers are SIPp and share the cores: at
 * ten times the maximum they need a good part of them.
 */
export async function benchOverload(max: number, times: readonly number[], seconds: number): Promise<OverloadStep[]> {
  const steps: OverloadStep[] = [];
  for (const factor of times) steps.push(await inOneHouse(max, factor, seconds));
  return steps;
}

async function inOneHouse(told: number, times: number, seconds: number): Promise<OverloadStep> {
  const undo: (() => unknown)[] = [];
  const t = { teardown: (fn: () => unknown) => void undo.unshift(fn) };
  try {
    const site = await openSite(t);
    const max = told > 0 ? told : await site.highestRate();
    const offered = Math.round(max * times);
    const statPerSecond = Math.max(1, Math.round(offered / 10));
    const dropsBefore = kernelDrops();
    const { routine, stat, statSeen, statRingMs } = await site.offer(offered - statPerSecond, statPerSecond, seconds);
    return {
      times,
      max,
      offeredPerSecond: offered,
      statPerSecond,
      seconds,
      routinePerSecond: round(routine / seconds),
      goodput: round((routine + stat) / (Math.min(offered, max) * seconds)),
      stat: Math.round((stat * 10_000) / (statPerSecond * seconds)) / 10_000,
      statSeen: Math.round((statSeen * 10_000) / (statPerSecond * seconds)) / 10_000,
      statRingP50Ms: round(statRingMs[Math.floor(statRingMs.length * 0.5)] ?? Number.NaN),
      statRingP99Ms: round(statRingMs[Math.floor(statRingMs.length * 0.99)] ?? Number.NaN),
      recoveredAfterSeconds: await site.recovery(max),
      kernelDrops: kernelDrops() - dropsBefore,
      pssMb: site.pssMb(),
    };
  } finally {
    for (const fn of undo) await fn();
  }
}

async function openSite(t: Teardown) {
  const house = await House.start(t, {
    phones: ['2101', '2102', STAT],
    // The lateness is that of a house that nobody has configured.
    set: { 'sip.limits.reservedNumbers': JSON.stringify([STAT]), 'sip.limits.shedWhenLateMs': '500' },
  });
  const system = {
    sip: house.sip,
    challenge: 401 as const,
    isProxied: false,
    password: (extension: string) => house.password(extension),
    pids: () => house.pids(),
  };
  const phones = await startPhones(t, 2);
  for (const [i, extension] of ['2102', STAT].entries())
    await registerPhone(t, system, phones.ports[i] ?? 0, extension);
  await warmUp(t, system);

  const call = async (service: string, rate: number, seconds: number) =>
    startSipp(t, {
      calls: Math.max(1, rate * seconds),
      keepsMessages: false,
      remote: system.sip,
      scenario: uac(system, true),
      service,
      user: '2101',
      password: system.password('2101'),
      rate,
      args: [
        ...['-buff_size', '4000000', '-trace_stat', '-fd', '1', '-trace_rtt', '-rtt_freq', '1'],
        ...['-l', String(Math.max(100, rate * 40)), '-timeout', `${seconds + 40}s`],
      ],
    });
  const offer = async (routineRate: number, statRate: number, seconds: number) => {
    const before = await phones.counts();
    const rates = [
      ['2102', routineRate],
      [STAT, statRate],
    ] as const;
    const [routine, stat] = await Promise.all(rates.map(([number, rate]) => call(number, rate, seconds)));
    await Promise.all([routine?.done, stat?.done]);
    // The BYE of the last one is on its way to the phone.
    await until('the phones to be left in peace', async () => {
      const [now, then] = [await phones.counts(), await pause(1_000).then(() => phones.counts())];
      return now.every((count, i) => count.ended === then[i]?.ended);
    });
    const after = await phones.counts();
    const well = (i: number) => (after[i]?.ended ?? 0) - (before[i]?.ended ?? 0);
    return {
      routine: well(0),
      stat: well(1),
      statSeen: well(1) === 0 ? 0 : (stat?.statistics().number('SuccessfulCall(C)') ?? 0),
      statRingMs: stat?.responseTimesMs().sort((a, b) => a - b) ?? [],
    };
  };
  return {
    offer,
    pssMb: () => pssMb(house.pids()),
    async highestRate(): Promise<number> {
      let [best, missed] = [0, 0];
      for (let rate = firstRung; missed < rungsMissed; rate = Math.round(rate * nextRung)) {
        const statRate = Math.round(rate / 10);
        const { routine, stat } = await offer(rate - statRate, statRate, rungSeconds);
        const perSecond = (routine + stat) / rungSeconds;
        best = Math.max(best, perSecond);
        missed = perSecond < rate * clean ? missed + 1 : 0;
      }
      return Math.round(best);
    },
    /** Seconds until a second's worth of calls at half of the maximum goes well. */
    async recovery(max: number): Promise<number | null> {
      const began = performance.now();
      for (let probe = 0; probe < probes; probe++) {
        const atSeconds = round((performance.now() - began) / 1_000);
        const rate = Math.max(1, Math.round(max / 2));
        const before = (await phones.counts())[0]?.ended ?? 0;
        const probing = await call('2102', rate, probeSeconds);
        await probing.done;
        await pause(500);
        if (((await phones.counts())[0]?.ended ?? 0) - before >= rate * probeSeconds * clean) return atSeconds;
      }
      return null;
    },
  };
}

async function startPhones(t: Teardown, count: number) {
  const child = fork(join(ROOT, 'test/bench/answering-phones.ts'), [String(count)]);
  t.teardown(() => stopChild(child));
  const heard = () => new Promise<PhonesSaid>((resolve) => void child.once('message', resolve));
  const first = await heard();
  return {
    ports: 'ports' in first ? first.ports : [],
    counts: async (): Promise<readonly PhoneCounts[]> => {
      const answer = heard();
      child.send('counts');
      const said = await answer;
      return 'counts' in said ? said.counts : [];
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
