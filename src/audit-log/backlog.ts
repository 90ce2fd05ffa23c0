import { type ChainStore, readBody } from '../core/audit/index.ts';
import type { Clock } from '../engine/ports.ts';
import type { Logger } from '../observe/index.ts';
import type { Body } from './link.ts';
import type { SpoolFile } from './spool-file.ts';

/** A fact on its way; `settle` is gone once its caller has been answered. */
export interface Pending extends Body {
  /** Answered with "spooled": it will be flagged as late when it is written. */
  isLate: boolean;
  settle: ((how: 'durable' | 'spooled') => void) | null;
  readonly sinceMs: number;
}

export interface BacklogParts {
  /** null for a command, or when it could not be opened. */
  readonly spool: SpoolFile | null;
  readonly store: Pick<ChainStore, 'read'>;
  /** Facts kept in memory; more of them wait in the spool file alone. */
  readonly maxKept: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onLost: (facts: number, because: string) => void;
  /** The spool file takes nothing any more: what waits is in memory alone. */
  readonly onUnwritten: (error: unknown) => void;
}

/** How long a caller waits for the spool file. */
const SPOOL_WAIT_MS = 10;
const PAGE_ROWS = 1000;

/** Facts that wait for the store, in order: in memory, and while the store is away in the spool file too. */
export class Backlog {
  readonly #parts: BacklogParts;
  #spool: SpoolFile | null;
  /** In order; what is in a commit stays here until it has ended. */
  #queue: Pending[] = [];
  /** Facts beyond what memory keeps, or of an earlier process, are only in the spool file, from here on. */
  #spilledFrom: number | null;
  /** Ids that are known to be written although they are in the spool file. */
  #written: ReadonlySet<string> = new Set();
  /** Why the last write to the spool file failed. */
  #unwritten: unknown = null;

  constructor(parts: BacklogParts) {
    this.#parts = parts;
    this.#spool = parts.spool;
    this.#spool?.watch((error) => parts.onUnwritten(error));
    this.#spilledFrom = this.hasFile ? 0 : null;
  }

  /** Whether facts that wait outlive this process: the spool file takes them. */
  get isOnDisk(): boolean {
    return this.#spool !== null && this.#spool.fault === null && this.#unwritten === null;
  }

  /** The disk has no room for what waits, memory has: nothing is broken, and somebody can make room. */
  get waitsForRoom(): boolean {
    return this.#spool?.fault === null && isNoRoom(this.#unwritten) && this.#queue.length < this.#parts.maxKept;
  }

  /** In memory. */
  get size(): number {
    return this.#queue.length;
  }

  get pending(): readonly Pending[] {
    return this.#queue;
  }

  /** Whether there is something in the spool file. */
  get hasFile(): boolean {
    return this.#spool !== null && this.#spool.size > 0;
  }

  /** Whether everything that waits is in memory. */
  get isInMemory(): boolean {
    return this.#spilledFrom === null;
  }

  add(pending: Pending): void {
    this.#queue.push(pending);
  }

  /** Behind so many, before all the others. */
  insert(behind: number, pending: Pending): void {
    this.#queue.splice(behind, 0, pending);
  }

  /** The oldest ones are written. */
  done(facts: number): void {
    this.#queue.splice(0, facts);
  }

  /**
   * While the store is away: behind everything that waits already, in memory while there is room, and in the spool file
   * in any case. `afterSeq`: the entry the chain ended with. Resolves when it is on disk, or after a moment.
   */
  keep(pending: readonly Pending[], afterSeq: number): Promise<void> {
    const offset = this.#spool?.size ?? 0;
    const isInMemory = this.isInMemory && this.#queue.length + pending.length <= this.#parts.maxKept;
    if (isInMemory) this.#queue.push(...pending);
    const isOnDisk = this.#write(pending, afterSeq).then((done) => {
      if (!done && !isInMemory) {
        this.#parts.onLost(pending.length, 'the spool file could not be written and memory is full');
      }
    });
    // Without a spool file there is nothing to read back; the loss is reported above.
    if (!isInMemory && this.#spool !== null) this.#spilledFrom ??= offset;
    return Promise.race([isOnDisk, wait(this.#parts.clock, SPOOL_WAIT_MS)]);
  }

  /** Puts a copy of what is in memory into the spool file. Not waited for. */
  copyToFile(afterSeq: number): void {
    void this.#write(this.#queue, afterSeq);
  }

  /** Reads on in the spool file where memory ended. Rejects when it, or the store, cannot be read. */
  async readOn(): Promise<void> {
    const { store, clock, onLost } = this.#parts;
    const from = this.#spilledFrom;
    if (from === null) return;
    if (this.#spool === null) return this.forgetFile();
    if (from === 0) this.#written = await idsBehind(store, (await this.#spool.afterSeq()) ?? 0);
    const { bodies, damaged, next, isEnd } = await this.#spool.read(from);
    if (damaged > 0) onLost(damaged, 'lines of the spool file are torn or were altered');
    const sinceMs = clock.monotonicMs();
    for (const body of bodies) {
      const { id, at, callId } = readBody(body, () => null);
      if (!this.#written.has(id)) this.#queue.push({ at, callId, body, isLate: true, settle: null, sinceMs });
    }
    // Nothing has been spooled since the end was read, so memory has everything again.
    this.#spilledFrom = isEnd && next >= this.#spool.size ? null : next;
  }

  /** Does without what is in the spool file alone. */
  forgetFile(): void {
    this.#spilledFrom = null;
  }

  /** Everything that waited was written at some time, so nothing in the spool file can be a repetition any more. */
  caughtUp(): void {
    this.#written = new Set();
  }

  /** The spool file has done its work when nothing that is in it waits any more. */
  async clearFile(): Promise<void> {
    if (this.#spool === null || this.#spool.size === 0 || this.#queue.some((pending) => pending.isLate)) return;
    await this.#spool.clear().catch((error: unknown) => {
      this.#parts.logger.warn({ err: error }, 'audit spool not cleared');
    });
  }

  async close(): Promise<void> {
    await this.#spool?.close();
    this.#spool = null;
  }

  async #write(pending: readonly Pending[], afterSeq: number): Promise<boolean> {
    if (this.#spool === null) return false;
    try {
      await this.#spool.append(
        afterSeq,
        pending.map(({ body }) => body),
      );
      this.#unwritten = null;
      return true;
    } catch (error) {
      if (this.#unwritten === null) this.#parts.onUnwritten(error);
      this.#unwritten = error;
      return false;
    }
  }
}

export function isNoRoom(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ENOSPC';
}

async function idsBehind(store: Pick<ChainStore, 'read'>, seq: number): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let after = seq; ; ) {
    const rows = await store.read(after, PAGE_ROWS);
    for (const row of rows) ids.add(readBody(row.body, () => null).id);
    const last = rows.at(-1);
    if (last === undefined) return ids;
    after = last.seq;
  }
}

export function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
