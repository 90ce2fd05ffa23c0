import type { Clock } from '../engine/ports.ts';
import type { Log } from './ports.ts';

export interface TrunkWatchParts {
  readonly trunk: string;
  /** Between two questions while it answers. */
  readonly everyMs: number;
  /** Sends OPTIONS (RFC 3261 §11); `done` is told the final status, or null when it could not be sent. */
  ask(trunk: string, done: (status: number | null) => void): void;
  readonly clock: Clock;
  readonly log: Log;
}

const waitMs = 4000;
/** One answer may be lost on the way. */
const missesAllowed = 1;
/** A trunk that has gone silent is asked often, for it is wanted back soon. */
const silentEveryMs = 5000;

/**
 * Asks a trunk now and then whether it is there, so that a chain does not ring for fifteen seconds into a line that is
 * dead. Many carriers never answer OPTIONS: only one that has answered, and does not any more, counts as silent.
 */
export class TrunkWatch {
  readonly #parts: TrunkWatchParts;
  #timer: { cancel(): void } | null = null;
  #question = 0;
  #hasAnswered = false;
  #misses = 0;
  #silentSinceMs: number | null = null;

  constructor(parts: TrunkWatchParts) {
    this.#parts = parts;
    this.#ask();
  }

  /** null: it answers, or it never has and nobody knows. */
  fault(): string | null {
    if (this.#silentSinceMs === null) return null;
    const seconds = Math.round((this.#parts.clock.monotonicMs() - this.#silentSinceMs) / 1000);
    return `trunk ${this.#parts.trunk} has not answered for ${seconds} s`;
  }

  close(): void {
    this.#question = Number.NaN;
    this.#timer?.cancel();
  }

  #ask(): void {
    const { trunk, clock } = this.#parts;
    const question = ++this.#question;
    const askedMs = clock.monotonicMs();
    const over = (answer: 'there' | 'silent' | 'notAsked'): void => {
      if (this.#question !== question) return;
      this.#question++;
      this.#timer?.cancel();
      this.#heard(answer, askedMs);
    };
    this.#timer = clock.after(waitMs, () => over('silent'));
    this.#parts.ask(trunk, (status) => {
      if (status === null) over('notAsked');
      // What a signalling server says for a far end that it cannot reach.
      else over(status === 408 || status === 503 ? 'silent' : 'there');
    });
  }

  #heard(answer: 'there' | 'silent' | 'notAsked', askedMs: number): void {
    const { trunk, everyMs, clock, log } = this.#parts;
    if (answer === 'there') {
      if (this.#silentSinceMs !== null) log.info({ trunk }, 'the trunk answers again');
      [this.#hasAnswered, this.#misses, this.#silentSinceMs] = [true, 0, null];
    } else if (answer === 'silent' && this.#hasAnswered) {
      this.#misses++;
      if (this.#misses > missesAllowed && this.#silentSinceMs === null) {
        this.#silentSinceMs = askedMs;
        log.error({ trunk }, 'the trunk does not answer: calls over it are left out until it does');
      }
    }
    const nextMs = this.#misses > 0 ? silentEveryMs : everyMs;
    this.#timer = clock.after(nextMs, () => this.#ask());
  }
}
