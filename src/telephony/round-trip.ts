import type { Clock } from '../engine/ports.ts';

const everyMs = 250;

/**
 * How long a question to a server and its answer take, asked all the time. The answer stands behind everything else that
 * the server has said and we have not read: under too many calls that is the time that each of them waits.
 */
export class RoundTrip {
  readonly #clock: Clock;
  readonly #ask: (answered: () => void) => void;
  #timer: { cancel(): void } | null = null;
  #askedAtMs: number | null = null;
  #tookMs = 0;
  /** A question of a connection that is lost is never answered. */
  #turn = 0;

  constructor(clock: Clock, ask: (answered: () => void) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** The last one, or the one that runs if that takes longer. */
  get lateMs(): number {
    const runsMs = this.#askedAtMs === null ? 0 : this.#clock.monotonicMs() - this.#askedAtMs;
    return Math.round(Math.max(this.#tookMs, runsMs));
  }

  begin(): void {
    this.close();
    this.#look(this.#turn);
  }

  close(): void {
    this.#timer?.cancel();
    this.#turn++;
    this.#askedAtMs = null;
    this.#tookMs = 0;
  }

  #look(turn: number): void {
    if (this.#askedAtMs === null) {
      const askedAtMs = this.#clock.monotonicMs();
      this.#askedAtMs = askedAtMs;
      this.#ask(() => {
        if (turn !== this.#turn) return;
        this.#tookMs = this.#clock.monotonicMs() - askedAtMs;
        this.#askedAtMs = null;
      });
    }
    this.#timer = this.#clock.after(everyMs, () => this.#look(turn));
  }
}
