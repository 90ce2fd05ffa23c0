import type { Clock } from '../../engine/ports.ts';

const firstRetryMs = 250;
const lastRetryMs = 5000;

/**
 * Small writes that must not be lost because the store is locked for a moment or its disk is full: one after the other,
 * each tried until it succeeds. What still waits at `close` is lost, and `onTrouble` has told of it; the next start finds
 * messages that were lost in that way (stray-messages.ts).
 */
export class PatientWriter {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #onTrouble: (error: unknown, what: string) => void;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(parts: {
    readonly clock: Pick<Clock, 'after'>;
    /** Told once for each write that does not succeed at first. */
    readonly onTrouble: (error: unknown, what: string) => void;
  }) {
    this.#clock = parts.clock;
    this.#onTrouble = parts.onTrouble;
  }

  /** Resolves when it is written, or given up by `close`. Never rejects. `what` names it for the log. */
  write(what: string, work: () => unknown): Promise<void> {
    this.#last = this.#last.then(() => this.#try(what, work));
    return this.#last;
  }

  /** One last attempt for what waits. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#last;
  }

  async #try(what: string, work: () => unknown): Promise<void> {
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(waitMs * 2, lastRetryMs)) {
      const wasClosed = this.#isClosed;
      try {
        await work();
        return;
      } catch (error) {
        if (waitMs === firstRetryMs || wasClosed) this.#onTrouble(error, what);
        if (wasClosed) return;
      }
      if (!this.#isClosed) await this.#wait(waitMs);
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
