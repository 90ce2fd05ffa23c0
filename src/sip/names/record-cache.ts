import type { Clock } from '../clock.ts';

/** Where nobody tells a time to live; short enough for those who move and long enough for a busy hour. */
const usuallyFreshMs = 30_000;
/** Not shorter, for each call of a busy hour would ask; not longer than old records are used at all. */
const [leastFreshMs, mostFreshMs] = [1_000, 3_600_000];
/** Old records are better than none: a DNS server that is gone does not take the carrier with it. */
const staleMs = mostFreshMs;
const maxEntries = 1_000;

interface Entry<T> {
  readonly records: readonly T[];
  readonly atMs: number;
  /** As long as the record itself says, as soon as that is known. */
  freshMs: number;
}

/** Answers of the DNS, also that there is none. */
export class RecordCache<T> {
  readonly #clock: Clock;
  readonly #ask: (name: string) => Promise<readonly T[]>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #ttlMs: (name: string) => Promise<number | undefined>;
  readonly #running = new Map<string, Promise<readonly T[]>>();

  /** `ttlMs`: how long the answer may be kept, if anybody can say so; it may come after the answer. */
  constructor(
    clock: Clock,
    ask: (name: string) => Promise<readonly T[]>,
    ttlMs: (name: string) => Promise<number | undefined> = async () => undefined,
  ) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Undefined if there is no answer yet, however old. */
  known(name: string): readonly T[] | undefined {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.atMs > this.#clock.now() - staleMs ? entry.records : undefined;
  }

  /** Fresh records; old ones if nobody answers; none if there are none. Never rejects. */
  get(name: string): Promise<readonly T[]> {
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.atMs > this.#clock.now() - entry.freshMs) return Promise.resolve(entry.records);
    const running = this.#running.get(name) ?? this.#refresh(name);
    this.#running.set(name, running);
    return running;
  }

  async #refresh(name: string): Promise<readonly T[]> {
    try {
      return this.#keep(name, await this.#ask(name));
    } catch (error) {
      if (!meansNone(error)) return this.known(name) ?? [];
      return this.#keep(name, []);
    } finally {
      this.#running.delete(name);
    }
  }

  async #askTtl(name: string, entry: Entry<T>): Promise<void> {
    const ttlMs = await this.#ttlMs(name).catch(() => undefined);
    if (ttlMs !== undefined) entry.freshMs = Math.min(Math.max(ttlMs, leastFreshMs), mostFreshMs);
  }

  #keep(name: string, records: readonly T[]): readonly T[] {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= maxEntries && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.delete(name);
    const entry = { records, atMs: this.#clock.now(), freshMs: usuallyFreshMs };
    this.#entries.set(name, entry);
    if (records.length > 0) void this.#askTtl(name, entry);
    return records;
  }
}

/** The DNS has answered that there is nothing; every other error says nothing about the name. */
function meansNone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
