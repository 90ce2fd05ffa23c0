/** A timer that can be stopped; stopping twice is harmless. */
export interface Timer {
  stop(): void;
}

/** The only source of time in this folder, so that a test can run 32 seconds in a millisecond. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `action` once, `afterMs` from now, unless stopped. Never keeps the process alive. */
  after(afterMs: number, action: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(afterMs, action) {
    const handle = setTimeout(action, afterMs);
    handle.unref();
    return { stop: () => clearTimeout(handle) };
  },
};
