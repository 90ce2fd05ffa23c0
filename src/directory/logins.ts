import type { LoginDoor, SystemFact } from '../core/audit/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Clock } from '../engine/ports.ts';

export interface LoginsParts {
  readonly clock: Clock;
  /** Puts a fact on record. Never rejects. */
  readonly record: (fact: SystemFact) => unknown;
}

type Result = Extract<SystemFact, { fact: 'loginsSeen' }>['result'];

interface Seen {
  readonly who: string;
  readonly address: string;
  times: number;
  /** Of those that are not on record yet. */
  since: Instant;
  last: Instant;
}

/** Phones register every few minutes; who guesses does so every second. */
const EVERY_MS: Readonly<Record<Result, number>> = { right: 86_400_000, wrong: 600_000 };
/** Whoever makes up a new name or address for each try fills no more than this; the rest is counted together. */
const MOST: Readonly<Record<Result, number>> = { right: 5000, wrong: 200 };

/**
 * Who came in by which door, and who was turned away, for the audit: the first time at once, further ones counted, right
 * ones once a day and wrong ones every ten minutes. So a record of years stays one of people, whatever phones do.
 */
export class Logins {
  readonly #parts: LoginsParts;
  readonly #seen: Readonly<Record<Result, Map<string, Seen>>> = { right: new Map(), wrong: new Map() };
  readonly #timers: { cancel(): void }[] = [];
  #isClosed = false;

  constructor(parts: LoginsParts) {
    this.#parts = parts;
    for (const result of ['right', 'wrong'] as const) this.#later(result);
  }

  /** `who`: extension, or number of the calendar. `address`: where it came from, '' where the door does not know. */
  right(door: LoginDoor, who: string, address: string): void {
    this.#see('right', door, who, address);
  }

  /** `who`: '' for a name that nobody has. */
  wrong(door: LoginDoor, who: string, address: string): void {
    this.#see('wrong', door, who, address);
  }

  /** Puts on record what was counted; what comes now is not. May be called twice. */
  close(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel();
    if (!this.#isClosed) for (const result of ['right', 'wrong'] as const) this.#tell(result);
    this.#isClosed = true;
  }

  #see(result: Result, door: LoginDoor, who: string, address: string): void {
    if (this.#isClosed) return;
    const seen = this.#seen[result];
    const at = this.#parts.clock.now();
    const own = `${door} ${who} ${address}`;
    const isOther = !seen.has(own) && seen.size >= MOST[result];
    const key = isOther ? `${door}  ` : own;
    const known = seen.get(key);
    if (known !== undefined) {
      if (known.times === 0) known.since = at;
      known.times += 1;
      known.last = at;
      return;
    }
    const first = { who: isOther ? '' : who, address: isOther ? '' : address, times: 1, since: at, last: at };
    seen.set(key, first);
    this.#record(result, door, first);
    first.times = 0;
  }

  #later(result: Result): void {
    const timer = this.#parts.clock.after(EVERY_MS[result], () => {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#tell(result);
      this.#later(result);
    });
    this.#timers.push(timer);
  }

  /** Who did not come again is forgotten, and told at once when they do. */
  #tell(result: Result): void {
    for (const [key, seen] of this.#seen[result]) {
      if (seen.times === 0) this.#seen[result].delete(key);
      else this.#record(result, key.slice(0, key.indexOf(' ')) as LoginDoor, seen);
      seen.times = 0;
    }
  }

  #record(result: Result, door: LoginDoor, { who, address, times, since, last }: Seen): void {
    const [from, until] = [since, last].map((at) => new Date(at).toISOString());
    this.#parts.record({ fact: 'loginsSeen', door, who, address, result, times, from: from!, until: until! });
  }
}
