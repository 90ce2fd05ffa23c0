import type { Clock, Timer } from '../../sip/index.ts';

const everyMs = 20;
/** How much one look counts: a single long pause is no overload, a second of them is. */
const share = 0.1;

/** Of the kernel's memory for datagrams, what takes us about a millisecond to read and handle. */
const bytesPerMs = 5_000;
const looksPerQueue = 12;

/**
 * How late we are: our timers on average, or what waits in the kernel to be read. A socket is read in small portions, so
 * timers run in time while thousands of datagrams wait.
 */
export class Load {
  readonly #clock: Clock;
  readonly #unreadBytes: () => number;
  #lateMs = 0;
  #queueMs = 0;
  #looks = 0;
  #timer: Timer | undefined;

  /** `unreadBytes` costs some work and is not asked often. */
  constructor(clock: Clock, unreadBytes: () => number) {
    this.#clock = clock;
    this.#unreadBytes = unreadBytes;
    this.#look();
  }

  get lateMs(): number {
    return Math.max(this.#lateMs, this.#queueMs);
  }

  close(): void {
    this.#timer?.stop();
  }

  #look(): void {
    const dueMs = this.#clock.now() + everyMs;
    this.#timer = this.#clock.after(everyMs, () => {
      const lateMs = Math.max(0, this.#clock.now() - dueMs);
      this.#lateMs += (lateMs - this.#lateMs) * share;
      if (++this.#looks % looksPerQueue === 0) this.#queueMs = this.#unreadBytes() / bytesPerMs;
      this.#look();
    });
  }
}
