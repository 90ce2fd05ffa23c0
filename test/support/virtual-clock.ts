import { type Instant, instant } from '../../src/core/time/index.ts';
import type { Clock as EngineClock } from '../../src/engine/index.ts';
import type { Clock as SipClock, Timer } from '../../src/sip/index.ts';

/**
 * No test has so many timers at once, nor runs so many in one go. What multiplies without end (two proxies that do not see that they
 * go in circles) fails its test here; it would never come to an end.
 */
const mostWaiting = 10_000;
const mostRun = 1_000_000;

/** Time that passes only when told to. Timers due at the same millisecond run in the order they were set. */
export class VirtualClock implements EngineClock, SipClock {
  readonly #startMs: number;
  #passedMs = 0;
  #setBackMs = 0;
  #nextId = 0;
  readonly #due = new Map<number, { atMs: number; action: () => void }>();

  constructor(startMs = 0) {
    this.#startMs = startMs;
  }

  now(): Instant {
    return instant(this.#startMs + this.#passedMs - this.#setBackMs);
  }

  monotonicMs(): number {
    return this.#passedMs;
  }

  after(afterMs: number, action: () => void): Timer & { cancel(): void } {
    const id = this.#nextId++;
    this.#due.set(id, { atMs: this.#passedMs + afterMs, action });
    const stop = () => void this.#due.delete(id);
    return { stop, cancel: stop };
  }

  get pending(): number {
    return this.#due.size;
  }

  /** Somebody sets the clock of the machine; no time passes. */
  setBack(ms: number): void {
    this.#setBackMs += ms;
  }

  /** Runs everything due within the next `byMs`, each at its own time. */
  advance(byMs: number): void {
    const endMs = this.#passedMs + byMs;
    for (let run = 0; this.#runNext(endMs); run++)
      if (run > mostRun) throw new Error(`more than ${mostRun} timers ran`);
    this.#passedMs = Math.max(this.#passedMs, endMs);
  }

  /** What runs now takes so long. */
  spend(ms: number): void {
    this.#passedMs += ms;
  }

  /** A busy machine: `times` timers in turn, each run `lateMs` after it was due. */
  late(lateMs: number, times: number): void {
    for (let i = 0; i < times; i++) {
      const next = Math.min(...[...this.#due.values()].map(({ atMs }) => atMs));
      this.#passedMs = Math.max(this.#passedMs, next) + lateMs;
      this.#runNext(this.#passedMs, this.#passedMs);
    }
  }

  /** As `advance`; promises settle before, and between any two timers. */
  async pass(byMs: number): Promise<void> {
    const endMs = this.#passedMs + byMs;
    do await settled();
    while (this.#runNext(endMs));
    this.#passedMs = Math.max(this.#passedMs, endMs);
  }

  #runNext(endMs: number, nowMs?: number): boolean {
    if (this.#due.size > mostWaiting) throw new Error(`more than ${mostWaiting} timers wait`);
    let next: { readonly id: number; readonly atMs: number; readonly action: () => void } | undefined;
    // In the order they were set, so the first of those due at the same time stays.
    for (const [id, timer] of this.#due) {
      if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = { id, ...timer };
    }
    if (next === undefined) return false;
    this.#passedMs = nowMs ?? Math.max(this.#passedMs, next.atMs);
    this.#due.delete(next.id);
    next.action();
    return true;
  }
}

/** Everything that was promised and waits for nothing outside has happened. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
