import { instant } from '../core/time/index.ts';
import type { Clock } from './ports.ts';

/** The clock of the machine. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),
  monotonicMs: () => performance.now(),
  after(ms, run) {
    // setTimeout takes 32 bits and calls back at once beyond them.
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
