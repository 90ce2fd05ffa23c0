import { House } from '../support/house.ts';
import { freeUdpPort } from '../support/processes.ts';
import { type Sipp, startSipp } from '../support/sipp.ts';
import { registerPhone, warmUp } from './call-rate.ts';
import { kernelDrops, pssMb, round } from './calls/proc.ts';
import { uac, uas } from './calls/scenarios.ts';

/** A number whose calls are never shed; it rings like any other. */
const STAT = '1001';

export interface OverloadStep {
  /** Of `max`. */
  readonly times: number;
  readonly offeredPerSecond: number;
  readonly statPerSecond: number;
  readonly seconds: number;
  /** Routine calls that were answered and ended well, per second, and as a share of what was offered up to `max`. */
  readonly routinePerSecond: number;
  readonly goodput: number;
  /** Share of the STAT calls that were. */
  readonly stat: number;
  readonly ringP99Ms: number;
  readonly kernelDrops: number;
  readonly pssMb: number;
}

/**
 * B4: offered load as a multiple of the highest clean rate, one call in ten STAT. A house of its own for each step but the
 * last, which shows in the same house that half of the maximum is served again. SIPp shares the cores: at ten times the
 * maximum it needs a good part of them.
 */
export async function benchOverload(max: number, times: readonly number[], seconds: number): Promise<OverloadStep[]> {
  const steps: OverloadStep[] = [];
  for (const [i, factor] of times.entries()) {
    steps.push(...(await inOneHouse(max, i === times.length - 1 ? [factor, 0.5] : [factor], seconds)));
  }
  return steps;
}

async function inOneHouse(max: number, times: readonly number[], seconds: number): Promise<OverloadStep[]> {
  const undo: (() => unknown)[] = [];
  const t = { teardown: (fn: () => unknown) => void undo.unshift(fn) };
  try {
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
    const answering = async (extension: string) => {
      const sipp = await startSipp(t, {
        keepsMessages: false,
        calls: 10_000_000,
        localPort: await freeUdpPort(),
        scenario: uas,
        args: ['-buff_size', '4000000', '-trace_stat', '-fd', '1'],
      });
      await registerPhone(t, system, sipp.port, extension);
      return sipp;
    };
    const [routine, stat] = [await answering('2102'), await answering(STAT)];
    await warmUp(t, system);
    const steps: OverloadStep[] = [];
    for (const factor of times) {
      const offered = Math.round(max * factor);
      const statRate = Math.max(1, Math.round(offered / 10));
      const dropsBefore = kernelDrops();
      const before = [answered(routine), answered(stat)] as const;
      const call = (service: string, rate: number) =>
        startSipp(t, {
          calls: rate * seconds,
          keepsMessages: false,
          remote: system.sip,
          scenario: uac(system, true),
          service,
          user: '2101',
          password: system.password('2101'),
          rate,
          args: [
            ...['-buff_size', '4000000', '-trace_stat', '-fd', '1', '-trace_rtt', '-rtt_freq', '1'],
            ...['-l', String(rate * 30), '-timeout', `${seconds + 40}s`],
          ],
        });
      const callers = await Promise.all([call('2102', offered - statRate), call(STAT, statRate)]);
      await Promise.all(callers.map(({ done }) => done));
      // SIPp writes down once a second what it has counted.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      const [routineCalls, statCalls] = [answered(routine) - before[0], answered(stat) - before[1]];
      const tookMs = callers[0].responseTimesMs().sort((a, b) => a - b);
      steps.push({
        times: factor,
        offeredPerSecond: offered,
        statPerSecond: statRate,
        seconds,
        routinePerSecond: round(routineCalls / seconds),
        goodput: round((routineCalls + statCalls) / (Math.min(offered, max) * seconds)),
        stat: round((statCalls * 1000) / (statRate * seconds)) / 1000,
        ringP99Ms: round(tookMs[Math.floor(tookMs.length * 0.99)] ?? Number.NaN),
        kernelDrops: kernelDrops() - dropsBefore,
        pssMb: pssMb(house.pids()),
      });
    }
    return steps;
  } finally {
    for (const fn of undo) await fn();
  }
}

function answered(sipp: Sipp): number {
  return sipp.statistics().number('SuccessfulCall(C)') || 0;
}
