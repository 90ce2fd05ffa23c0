import type { Clock } from '../engine/ports.ts';

const everyMs = 100;
/** A pause is no overload: what waits must have been waiting all this time. */
const windowMs = 1_000;
const keptAnswers = windowMs / everyMs - 1;
/** After so long, a question that is not answered says it by itself. */
const noAnswerMs = 2_000;

/** How late somebody is, in milliseconds: all the time, and at this moment. */
export interface Lateness {
  readonly lateMs: number;
  readonly lateNowMs: number;
}

export const onTime: Lateness = { lateMs: 0, lateNowMs: 0 };

/**
 * How long a question to a server and its answer take, asked all the time. The answer stands behind everything else that
 * the server has said and we have not read: under too many calls that is the time that each of them waits.
 */
export class RoundTrip implements Lateness {
  readonly #clock: Clock;
  readonly #ask: (answered: () => void) => void;
  #timer: { cancel(): void } | null = null;
  #askedAtMs: number | null = null;
  /** The last ones: when each was answered, and after how long. */
  #answers: { readonly atMs: number; readonly tookMs: number }[] = [];
  /** A question of a connection that is lost is never answered. */
  #turn = 0;

  constructor(clock: Clock, ask: (answered: () => void) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** The shortest of the last second, and of the last two in any case; the one that runs when it runs for long. */
  get lateMs(): number {
    const nowMs = this.#clock.monotonicMs();
    const runsMs = this.#askedAtMs === null ? 0 : nowMs - this.#askedAtMs;
    if (runsMs > noAnswerMs) return Math.round(runsMs);
    const recent = this.#answers.filter(({ atMs }, i) => nowMs - atMs <= windowMs || i >= this.#answers.length - 2);
    return recent.length < 2 ? 0 : Math.round(Math.min(...recent.map(({ tookMs }) => tookMs)));
  }

  /** The last one, or the one that runs if that takes longer already: a pause shows too. */
  get lateNowMs(): number {
    const runsMs = this.#askedAtMs === null ? 0 : this.#clock.monotonicMs() - this.#askedAtMs;
    return Math.round(Math.max(runsMs, this.#answers.at(-1)?.tookMs ?? 0));
  }

  begin(): void {
    this.close();
    this.#look(this.#turn);
  }

  close(): void {
    this.#timer?.cancel();
    this.#turn++;
    this.#askedAtMs = null;
    this.#answers = [];
  }

  #look(turn: number): void {
    if (this.#askedAtMs === null) {
      const askedAtMs = this.#clock.monotonicMs();
      this.#askedAtMs = askedAtMs;
      this.#ask(() => {
        if (turn !== this.#turn) return;
        const atMs = this.#clock.monotonicMs();
        this.#answers = [...this.#answers.slice(-keptAnswers), { atMs, tookMs: atMs - askedAtMs }];
        this.#askedAtMs = null;
      });
    }
    this.#timer = this.#clock.after(everyMs, () => this.#look(turn));
  }
}
