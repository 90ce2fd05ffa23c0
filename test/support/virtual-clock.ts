import type { Clock, Timer } from '../../src/sip/index.ts';

/** Time that passes only when told to. Timers due at the same millisecond run in the order they were set. */
export class VirtualClock implements Clock {
  #now = 0;
  #nextId = 0;
  readonly #due = new Map<number, { at: number; action: () => void }>();

  now(): number {
    return this.#now;
  }

  after(afterMs: number, action: () => void): Timer {
    const id = this.#nextId++;
    this.#due.set(id, { at: this.#now + afterMs, action });
    return { stop: () => void this.#due.delete(id) };
  }

  /** Runs everything due within the next `byMs`, each at its own time. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      const next = this.#earliest(end);
      if (next === undefined) break;
      this.#now = next.at;
      this.#due.delete(next.id);
      next.action();
    }
    this.#now = end;
  }

  get pending(): number {
    return this.#due.size;
  }

  #earliest(end: number): { id: number; at: number; action: () => void } | undefined {
    let best: { id: number; at: number; action: () => void } | undefined;
    for (const [id, timer] of this.#due) {
      if (timer.at <= end && (best === undefined || timer.at < best.at)) best = { id, ...timer };
    }
    return best;
  }
}
