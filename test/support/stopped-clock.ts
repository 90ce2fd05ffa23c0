import { type Instant, plusMs } from '../../src/core/time/index.ts';
import type { Clock } from '../../src/engine/index.ts';
import { noon } from './lakeside.ts';

/** A clock that stands still until it is advanced. Promises settle between any two timers. */
export class StoppedClock implements Clock {
  #now: Instant = noon;
  #setBackMs = 0;
  #order = 0;
  readonly #timers = new Set<{ readonly at: Instant; readonly order: number; readonly run: () => void }>();

  get pending(): number {
    return this.#timers.size;
  }

  now(): Instant {
    return plusMs(this.#now, -this.#setBackMs);
  }

  /** Somebody sets the clock of the machine; no time passes. */
  setBack(ms: number): void {
    this.#setBackMs += ms;
  }

  monotonicMs(): number {
    return this.#now - noon;
  }

  after(ms: number, run: () => void): { cancel(): void } {
    this.#order += 1;
    const timer = { at: plusMs(this.#now, ms), order: this.#order, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  async advance(ms: number): Promise<void> {
    const until = plusMs(this.#now, ms);
    await settled();
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at || a.order - b.order);
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
      await settled();
    }
    this.#now = until;
  }
}

/** Everything that was promised and waits for nothing outside has happened. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
