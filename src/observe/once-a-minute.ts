const EVERY_MS = 60_000;
/** Whoever makes up a new name for each line still writes no more than this many a minute. */
const MAX_THINGS = 1000;
const OTHERS = '';

/** How often a thing was since it was said last; nothing the first time. */
export interface Again {
  readonly times?: number;
}

/** For what may repeat itself without end, a phone with a wrong password for one: said at once, then once a minute. */
export class OnceAMinute {
  readonly #after: (ms: number, run: () => void) => { cancel(): void };
  readonly #said = new Map<string, { times: number; say: (again: Again) => void; timer: { cancel(): void } }>();

  constructor(clock: { after(ms: number, run: () => void): { cancel(): void } }) {
    this.#after = (ms, run) => clock.after(ms, run);
  }

  /** `thing` tells one thing from another. */
  say(thing: string, say: (again: Again) => void): void {
    const name = this.#said.has(thing) || this.#said.size < MAX_THINGS ? thing : OTHERS;
    const said = this.#said.get(name);
    if (said === undefined) {
      say({});
      this.#keepCount(name, say);
    } else {
      said.times += 1;
      said.say = say;
    }
  }

  /** Says what it has counted. May be called twice. */
  close(): void {
    for (const { times, say, timer } of this.#said.values()) {
      timer.cancel();
      if (times > 0) say({ times });
    }
    this.#said.clear();
  }

  #keepCount(name: string, say: (again: Again) => void): void {
    const timer = this.#after(EVERY_MS, () => this.#minuteOver(name));
    this.#said.set(name, { times: 0, say, timer });
  }

  #minuteOver(name: string): void {
    const said = this.#said.get(name);
    this.#said.delete(name);
    if (said === undefined || said.times === 0) return;
    said.say({ times: said.times });
    this.#keepCount(name, said.say);
  }
}
