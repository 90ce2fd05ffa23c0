import type { Clock } from '../../engine/ports.ts';

const freeFailures = 5;
const firstDelayMs = 1_000;
const longestDelayMs = 5 * 60_000;
const forgetAfterMs = 30 * 60_000;
const mostRemembered = 20_000;

interface Failures {
  count: number;
  lastMs: number;
  untilMs: number;
}

/** Wrong passwords cost time: five are free, then 1 s, 2 s, 4 s … up to 5 min. Bounded memory, oldest forgotten first. */
export class Backoff {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until this key may try again; 0: now. */
  waitMs(key: string): number {
    const failures = this.#failures.get(key);
    return failures ? Math.max(0, failures.untilMs - this.#clock.monotonicMs()) : 0;
  }

  failed(key: string): void {
    const now = this.#clock.monotonicMs();
    const before = this.#failures.get(key);
    // Only what a known phone sends is looked at during a wait. Its retries, often ten in a second, are one mistake:
    // they must not shut its whole address out for minutes.
    if (before && now < before.untilMs) return;
    const count = before && now - before.lastMs < forgetAfterMs ? before.count + 1 : 1;
    const delay = count < freeFailures ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** (count - freeFailures));
    this.#failures.delete(key);
    this.#failures.set(key, { count, lastMs: now, untilMs: now + delay });
    const oldest = this.#failures.keys().next();
    if (this.#failures.size > mostRemembered && !oldest.done) this.#failures.delete(oldest.value);
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }
}
