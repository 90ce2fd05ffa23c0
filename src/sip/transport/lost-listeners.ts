import type { Clock } from '../clock.ts';

/** Who wants to know when a connection is lost; each is told once. */
export class LostListeners {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #isLost = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As `Flow.onLost`. */
  add(listener: () => void): () => void {
    if (this.#isLost) {
      this.#clock.after(0, listener);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    this.#isLost = true;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
