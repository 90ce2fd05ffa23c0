import type { Clock, Timer } from '../../sip/index.ts';

const everyMs = 20;
/** A single long pause is no overload: so many looks in a row are. */
const looksKept = 10;

/** When the kernel's room for datagrams is so full, that is as bad as timers that run too late: soon it drops some. */
const tooFullShare = 0.2;
const looksPerQueue = 4;
/** Half a second of looks: a burst fills that room for a moment, and nobody may be refused for it. */
const queuesKept = 6;
/** One late timer is a pause. */
const looksOfNow = 3;

/**
 * How late we are: our timers, each of the last ones, or what waits in the kernel to be read. A socket is read in small portions, so
 * timers run in time while thousands of datagrams wait.
 */
export class Load {
  readonly #clock: Clock;
  readonly #unreadShare: () => number;
  readonly #tooLateMs: number;
  readonly #late: number[] = Array.from({ length: looksKept }, () => 0);
  readonly #queues: number[] = Array.from({ length: queuesKept }, () => 0);
  #looks = 0;
  #timer: Timer | undefined;

  /** `unreadShare` costs some work and is not asked often; `tooLateMs`: what it comes to when that room is too full. */
  constructor(clock: Clock, unreadShare: () => number, tooLateMs: number) {
    this.#clock = clock;
    this.#unreadShare = unreadShare;
    this.#tooLateMs = tooLateMs;
    this.#look();
  }

  get lateMs(): number {
    return Math.max(Math.min(...this.#late), Math.min(...this.#queues));
  }

  /** At this moment: for who lets in fewer, and refuses nobody for a single pause. */
  get lateNowMs(): number {
    return Math.max(Math.min(...this.#late.slice(-looksOfNow)), this.#queues.at(-1) ?? 0);
  }

  close(): void {
    this.#timer?.stop();
  }

  #look(): void {
    const dueMs = this.#clock.now() + everyMs;
    this.#timer = this.#clock.after(everyMs, () => {
      this.#late.shift();
      this.#late.push(Math.max(0, this.#clock.now() - dueMs));
      if (++this.#looks % looksPerQueue === 0) {
        this.#queues.shift();
        this.#queues.push((this.#unreadShare() / tooFullShare) * this.#tooLateMs);
      }
      this.#look();
    });
  }
}
