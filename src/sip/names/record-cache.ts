import type { Clock } from '../clock.ts';

/** Node tells no time to live for most records; this is short enough for those who move and long enough for a busy hour. */
const freshMs = 30_000;
/** Old records are better than none: a DNS server that is gone does not take the carrier with it. */
const staleMs = 3_600_000;
const maxEntries = 1_000;

interface Entry<T> {
  readonly records: readonly T[];
  readonly atMs: number;
}

/** Answers of the DNS, also that there is none. */
export class RecordCache<T> {
  readonly #clock: Clock;
  readonly #ask: (name: string) => Promise<readonly T[]>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #running = new Map<string, Promise<readonly T[]>>();

  constructor(clock: Clock, ask: (name: string) => Promise<readonly T[]>) {
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
    if (entry !== undefined && entry.atMs > this.#clock.now() - freshMs) return Promise.resolve(entry.records);
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

  #keep(name: string, records: readonly T[]): readonly T[] {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= maxEntries && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.delete(name);
    this.#entries.set(name, { records, atMs: this.#clock.now() });
    return records;
  }
}

/** The DNS has answered that there is nothing; every other error says nothing about the name. */
function meansNone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
