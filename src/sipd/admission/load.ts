import type { Clock, Timer } from '../../sip/index.ts';

const everyMs = 20;
/** How much one look counts: a single long pause is no overload, a second of them is. */
const share = 0.1;

/** How late our timers run on average: the one sign of too much work that every kind of work shows. */
export class Load {
  readonly #clock: Clock;
  #lateMs = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#look();
  }

  get lateMs(): number {
    return this.#lateMs;
  }

  close(): void {
    this.#timer?.stop();
  }

  #look(): void {
    const dueMs = this.#clock.now() + everyMs;
    this.#timer = this.#clock.after(everyMs, () => {
      const lateMs = Math.max(0, this.#clock.now() - dueMs);
      this.#lateMs += (lateMs - this.#lateMs) * share;
      this.#look();
    });
  }
}
