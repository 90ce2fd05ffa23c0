import { instant } from '../../src/core/time/index.ts';
import type { Clock } from '../../src/engine/ports.ts';

/** The clock of the machine. What waits for long, as a log that a test has "killed" does, keeps no process alive. */
export const realClock: Clock = {
  now: () => instant(Date.now()),
  monotonicMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    if (ms > 10_000) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
