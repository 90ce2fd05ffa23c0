/** Ticks every 20 ms on average, however late the timers are. Stands still while nobody needs it. */
export interface ClockSeam {
  now(): number;
  setTimeout(run: () => void, delayMs: number): unknown;
}

const realTime: ClockSeam = { now: () => performance.now(), setTimeout: (run, delayMs) => setTimeout(run, delayMs) };

/** After a longer standstill (a suspended machine) the missed ticks are given up. */
const MAX_BURST = 5;

export class MediaClock {
  readonly #intervalMs: number;
  readonly #tick: (nowMs: number) => void;
  readonly #time: ClockSeam;
  readonly #late: (lateMs: number) => void;
  #dueMs = 0;
  #isRunning = false;
  /** A timer is set; one that was set before a stop serves after the next start. */
  #isWaiting = false;

  /** `late`: told of each awakening how long after its time it came. */
  constructor(
    intervalMs: number,
    tick: (nowMs: number) => void,
    time: ClockSeam = realTime,
    late: (lateMs: number) => void = () => {},
  ) {
    this.#late = late;
    this.#intervalMs = intervalMs;
    this.#tick = tick;
    this.#time = time;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#dueMs = this.#time.now() + this.#intervalMs;
    if (!this.#isWaiting) this.#wait();
  }

  stop(): void {
    this.#isRunning = false;
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#time.setTimeout(() => this.#catchUp(), Math.max(0, this.#dueMs - this.#time.now()));
  }

  #catchUp(): void {
    this.#isWaiting = false;
    if (!this.#isRunning) return;
    const nowMs = this.#time.now();
    if (this.#dueMs <= nowMs) this.#late(nowMs - this.#dueMs);
    for (let burst = 0; this.#dueMs <= nowMs && burst < MAX_BURST; burst++) {
      this.#tick(this.#dueMs);
      this.#dueMs += this.#intervalMs;
    }
    if (this.#dueMs <= nowMs) this.#dueMs = nowMs + this.#intervalMs;
    this.#wait();
  }
}
