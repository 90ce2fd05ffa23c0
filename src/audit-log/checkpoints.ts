import type { ChainHead, ChainRow, ChainStore } from '../core/audit/index.ts';
import type { Clock } from '../engine/ports.ts';
import type { Health, Logger } from '../observe/index.ts';
import type { Anchors } from './anchors.ts';
import { wait } from './backlog.ts';
import type { Broken } from './chain-end.ts';
import {
  anchorLine,
  type Checkpoint,
  digestOf,
  isGenuine,
  MARK_BYTES,
  MAX_MARKS,
  parseCheckpoint,
  signCheckpoint,
} from './checkpoint.ts';
import { LineFile } from './line-file.ts';
import { GENESIS, hashOf, isSame } from './link.ts';
import { type SigningKey, verifyingKey } from './signing-key.ts';

export interface CheckpointParts {
  readonly store: Pick<ChainStore, 'head' | 'read'>;
  readonly path: string;
  readonly key: SigningKey;
  /** A checkpoint after so many entries, or so long after the first of them. */
  readonly everyEntries: number;
  readonly everyMs: number;
  readonly anchors: Anchors;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: Health;
}

const CHECK = 'audit checkpoints';
const PAGE_ROWS = 500;
/** Checkpoints that wait for their disk; each holds the marks of its entries. */
const MAX_UNWRITTEN = 1000;

/**
 * Puts a signature under the chain, again and again. It signs what it has seen being chained, or has read back and found
 * to follow from what it signed last; never anything else.
 */
export class Checkpoints {
  readonly #parts: CheckpointParts;
  readonly #file: LineFile;
  readonly #marks: Buffer;
  /** Entries that have a mark and no checkpoint yet. */
  #count = 0;
  /** The last entry that was seen to follow. */
  #end: ChainHead = GENESIS;
  #prev = '';
  #unwritten: Checkpoint[] = [];
  #writing: Promise<void> | null = null;
  #timer: { cancel(): void } | null = null;
  #isReading = false;
  #isClosed = false;

  private constructor(parts: CheckpointParts) {
    this.#parts = parts;
    this.#file = new LineFile(parts.path);
    this.#marks = Buffer.alloc(Math.min(parts.everyEntries, MAX_MARKS) * MARK_BYTES);
  }

  /** Goes on behind the last checkpoint. Rejects when the file is there and cannot be read. */
  static async open(parts: CheckpointParts): Promise<Checkpoints> {
    const checkpoints = new Checkpoints(parts);
    const last = await checkpoints.#newest(checkpoints.#file);
    parts.health.ok(CHECK);
    if (last === null) return checkpoints;
    checkpoints.#end = { seq: last.seq, hash: Buffer.from(last.hash, 'hex') };
    checkpoints.#prev = digestOf(last);
    return checkpoints;
  }

  /**
   * Compares the chain with what was signed last, here and in the files outside, and catches up with what it has behind
   * that. What the chain does not bear out is told, and signing goes on at its end, with a gap that can be seen.
   */
  async learn(): Promise<Broken | null> {
    const { store, anchors } = this.#parts;
    const head = await store.head();
    const outside = await Promise.all(anchors.files.map((file) => this.#newestOutside(file)));
    const signed = this.#end.seq === 0 ? [] : [{ seq: this.#end.seq, hash: this.#end.hash, where: 'checkpoint' }];
    for (const [i, at] of outside.entries()) {
      const where = `checkpoint in ${anchors.files[i]}`;
      if (at !== null) signed.push({ seq: at.seq, hash: Buffer.from(at.hash, 'hex'), where });
    }
    for (const { seq, hash, where } of signed) {
      const because = await this.#difference(head, { seq, hash }, where);
      if (because === null) continue;
      this.#goOnBehind(head);
      return { because, certifiedEntries: seq, foundEntries: head.seq };
    }
    void this.#readOn();
    return null;
  }

  /** After each commit, in order. */
  took(rows: readonly ChainRow[]): void {
    for (const row of rows) {
      if (row.seq <= this.#end.seq) continue;
      // A command in another process was in between.
      if (row.seq !== this.#end.seq + 1 || !isSame(row.prev, this.#end.hash)) return void this.#readOn();
      this.#mark(row);
    }
  }

  /** Signs what has no checkpoint yet. May be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#seal();
    await this.#writing;
    await this.#file.close();
    await this.#parts.anchors.close();
    this.#parts.health.forget(CHECK);
  }

  #mark(row: ChainRow): void {
    this.#marks.set(row.hash.subarray(0, MARK_BYTES), this.#count * MARK_BYTES);
    this.#count += 1;
    this.#end = { seq: row.seq, hash: row.hash };
    if (this.#count * MARK_BYTES === this.#marks.length) this.#seal();
    else this.#timer ??= this.#parts.clock.after(this.#parts.everyMs, () => this.#seal());
  }

  #seal(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#count === 0) return;
    const { key, clock } = this.#parts;
    const { seq, hash } = this.#end;
    const marks = this.#marks.subarray(0, this.#count * MARK_BYTES);
    const from = seq - this.#count + 1;
    const checkpoint = signCheckpoint(key, { at: clock.now(), from, seq, hash, prev: this.#prev, marks });
    this.#prev = digestOf(checkpoint);
    this.#count = 0;
    this.#unwritten.push(checkpoint);
    if (this.#unwritten.length > MAX_UNWRITTEN) this.#unwritten.shift();
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** What the disk does not take now is tried again with the next checkpoint. */
  async #write(): Promise<void> {
    const { health, logger, anchors, path } = this.#parts;
    for (let [next] = this.#unwritten; next !== undefined; [next] = this.#unwritten) {
      const checkpoint = next;
      try {
        // Durable one by one: a power cut may tear the last line, and never one that others stand behind.
        await this.#file.append([JSON.stringify(checkpoint)]);
        health.ok(CHECK);
      } catch (error) {
        logger.error({ err: error, path }, 'audit checkpoint not written');
        health.failing(CHECK, `${path} cannot be written (${String(error)}): free disk space, or correct who owns it`);
        return;
      }
      this.#unwritten = this.#unwritten.filter((one) => one !== checkpoint);
      anchors.send(anchorLine(checkpoint));
    }
  }

  /** Entries that somebody else appended, or that were there before the first checkpoint. Never rejects. */
  async #readOn(): Promise<void> {
    if (this.#isReading || this.#isClosed) return;
    this.#isReading = true;
    const { store, clock, logger } = this.#parts;
    try {
      for (let rows = await this.#next(); rows.length > 0 && !this.#isClosed; rows = await this.#next()) {
        for (const row of rows) {
          if (row.seq <= this.#end.seq) continue;
          if (!follows(row, this.#end)) return this.#goOnBehind(await store.head(), row.seq);
          this.#mark(row);
        }
        // Calls come first.
        await wait(clock, 1);
      }
    } catch (error) {
      // The audit itself tells of a store that is away; the next entry brings us here again.
      logger.warn({ err: error }, 'audit checkpoints could not catch up');
    } finally {
      this.#isReading = false;
    }
  }

  #next(): Promise<readonly ChainRow[]> {
    return this.#parts.store.read(this.#end.seq, PAGE_ROWS);
  }

  #goOnBehind(head: ChainHead, notFollowing?: number): void {
    this.#seal();
    this.#end = head;
    if (notFollowing === undefined) return;
    this.#parts.logger.error({ seq: notFollowing }, 'audit entry does not follow, it is not signed');
    this.#parts.health.failing(
      CHECK,
      `entry ${notFollowing} does not follow from the one before: run "wardline audit verify"`,
    );
  }

  async #difference(head: ChainHead, signed: ChainHead, where: string): Promise<string | null> {
    const { seq, hash } = signed;
    if (head.seq < seq) {
      return `the chain was cut: the last ${where} is of entry ${seq}, and entries ${head.seq + 1} to ${seq} are missing`;
    }
    const [row] = await this.#parts.store.read(seq - 1, 1);
    return row?.seq === seq && isSame(row.hash, hash) ? null : `entry ${seq} is not the one of the last ${where}`;
  }

  /** One that cannot be read may have been made so: the start goes on, and it is told. */
  async #newestOutside(file: string): Promise<Checkpoint | null> {
    const { health, logger } = this.#parts;
    return this.#newest(new LineFile(file)).catch((error: unknown) => {
      logger.error({ err: error, file }, 'audit anchor cannot be read, the chain was not compared with it');
      health.failing(
        `audit anchor ${file}`,
        `it cannot be read (${String(error)}): the chain was not compared with it`,
      );
      return null;
    });
  }

  /** The last one of ours in a file; a torn line at the end is passed over. */
  async #newest(file: LineFile): Promise<Checkpoint | null> {
    const key = verifyingKey(this.#parts.key.publicKey);
    for (const line of await file.newest()) {
      const checkpoint = parseCheckpoint(line);
      if (checkpoint !== null && isGenuine(checkpoint, key)) return checkpoint;
    }
    return null;
  }
}

function follows(row: ChainRow, end: ChainHead): boolean {
  return row.seq === end.seq + 1 && isSame(row.prev, end.hash) && isSame(hashOf(end.hash, row.body), row.hash);
}
