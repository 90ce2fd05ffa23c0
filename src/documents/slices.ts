import { setImmediate } from 'node:timers/promises';
import type { Work } from '../core/steps/index.ts';
import type { Clock } from '../engine/ports.ts';

/** Calls are decided in between. */
const SLICE_MS = 2;

/** Gives the thread up, for whatever else has come, each time that it was held for a slice. */
export class Slices {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #until: number;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#until = clock.monotonicMs() + SLICE_MS;
  }

  /** Wait for it between two steps of work. */
  async pause(): Promise<void> {
    if (this.#clock.monotonicMs() < this.#until) return;
    await setImmediate();
    this.#until = this.#clock.monotonicMs() + SLICE_MS;
  }
}

/** Does work in slices; null when it is not wanted any more. */
export async function inSlices<T>(
  work: Work<T>,
  clock: Pick<Clock, 'monotonicMs'>,
  isWanted: () => boolean,
): Promise<T | null> {
  const slices = new Slices(clock);
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
    await slices.pause();
    if (!isWanted()) return null;
  }
}
