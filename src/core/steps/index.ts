/**
 * Work that is done a little at a time: each `next()` does at most `STEP_ITEMS` small things. Who has calls to decide
 * does it between them; who has nothing else to do does it in one go.
 */
export type Work<T> = Generator<void, T>;

/** A step over so many entries takes a fraction of a millisecond. */
export const STEP_ITEMS = 256;

export function inOneGo<T>(work: Work<T>): T {
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
  }
}

/** Does something with each of them. */
export function* eachOf<T>(all: readonly T[], use: (one: T, i: number) => void): Work<void> {
  for (let i = 0; i < all.length; i++) {
    use(all[i]!, i);
    if (i % STEP_ITEMS === STEP_ITEMS - 1) yield;
  }
}
