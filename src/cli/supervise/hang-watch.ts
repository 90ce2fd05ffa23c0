/** Asks a process something that it can only answer while it works. */
export interface Question {
  /** `answered` runs when an answer came; a question that was not answered may be asked again. Never throws. */
  ask(answered: () => void): void;
  close(): void;
}

/** Time, so that a test need not wait. */
export interface WatchClock {
  nowMs(): number;
  after(ms: number, run: () => void): { cancel(): void };
}

const EVERY_MS = 2_000;

/** Unanswered in a row: ten seconds for a process that serves, a minute for one that starts. */
export const MISSES = { serving: 5, starting: 30 } as const;

export const realWatchClock: WatchClock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Notices a process that is there and does nothing any more. `hung` runs once, after `misses` unanswered questions in a
 * row. A round that came late does not count: then it was the watcher, or the whole machine, that stood still.
 */
export class HangWatch {
  readonly #question: Question;
  readonly #misses: number;
  readonly #hung: (silentMs: number) => void;
  readonly #clock: WatchClock;
  #timer: { cancel(): void } | null = null;
  #missed = 0;

  constructor(question: Question, misses: number, hung: (silentMs: number) => void, clock = realWatchClock) {
    this.#question = question;
    this.#misses = misses;
    this.#hung = hung;
    this.#clock = clock;
    this.#round();
  }

  /** May be called twice. */
  close(): void {
    this.#timer?.cancel();
    this.#question.close();
  }

  #round(): void {
    let isAnswered = false;
    this.#question.ask(() => {
      isAnswered = true;
    });
    const dueMs = this.#clock.nowMs() + EVERY_MS;
    this.#timer = this.#clock.after(EVERY_MS, () => {
      const wasLate = this.#clock.nowMs() - dueMs > EVERY_MS / 2;
      if (isAnswered || wasLate) this.#missed = 0;
      else this.#missed += 1;
      if (this.#missed < this.#misses) return this.#round();
      this.close();
      this.#hung(this.#missed * EVERY_MS);
    });
  }
}
