/** What a worker counts of itself, for the metrics. */
import { LATE_BOUNDS_MS, type LegReport, type MediaCounters, NO_COUNTERS, type WorkerNumbers } from './messages.ts';

export class WorkerMeter {
  readonly #closed: { -readonly [K in keyof MediaCounters]: number } = { ...NO_COUNTERS };
  readonly #within = LATE_BOUNDS_MS.map(() => 0);
  #ticks = 0;
  #lateMs = 0;
  #legMs = 0;

  /** Of the clock, told with each tick. */
  late(lateMs: number): void {
    this.#ticks += 1;
    this.#lateMs += lateMs;
    for (const [i, bound] of LATE_BOUNDS_MS.entries()) if (lateMs <= bound) this.#within[i]! += 1;
  }

  /** So many legs have lasted a tick longer. */
  lasted(legs: number, tickMs: number): void {
    this.#legMs += legs * tickMs;
  }

  /** Its counts are kept. */
  legClosed({ counters }: LegReport): void {
    add(this.#closed, counters);
    this.#closed.jitterInMs = 0;
  }

  numbers(
    legs: readonly LegReport[],
    { conferences, recordings }: Pick<WorkerNumbers, 'conferences' | 'recordings'>,
  ): WorkerNumbers {
    const counters = { ...this.#closed };
    const codecs: Record<string, number> = {};
    for (const leg of legs) {
      add(counters, leg.counters);
      codecs[leg.codec] = (codecs[leg.codec] ?? 0) + 1;
    }
    const { user, system } = process.threadCpuUsage();
    return {
      legs: legs.length,
      conferences,
      recordings,
      silentLegs: legs.filter(({ isSilent }) => isSilent).length,
      codecs,
      counters,
      late: { within: [...this.#within], count: this.#ticks, sumMs: this.#lateMs },
      cpuMs: (user + system) / 1000,
      legMs: this.#legMs,
    };
  }
}

function add(sum: { -readonly [K in keyof MediaCounters]: number }, counters: MediaCounters): void {
  const jitterInMs = Math.max(sum.jitterInMs, counters.jitterInMs);
  for (const name of Object.keys(counters) as (keyof MediaCounters)[]) sum[name] += counters[name];
  sum.jitterInMs = jitterInMs;
}
