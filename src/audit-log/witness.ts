import type { HexRow } from '../core/audit/index.ts';
import { type Checkpoint, digestOf, isGenuine, MARK_BYTES, parseCheckpoint } from './checkpoint.ts';
import { LineFile } from './line-file.ts';
import type { VerifyingKey } from './signing-key.ts';
import type { Problem } from './problem.ts';

/** A file of signed heads. Ours has every checkpoint; one outside has some, and says nothing about the entries between. */
export interface WitnessFile {
  readonly path: string;
  readonly isOurs: boolean;
}

interface Signed {
  readonly from: number;
  readonly seq: number;
  /** Hex. */
  readonly hash: string;
  readonly marks: string | null;
}

/** Says, entry by entry, whether the chain is the one that was signed. Read along with it, so a long one needs no memory. */
export class Witness {
  readonly #file: WitnessFile;
  readonly #key: VerifyingKey;
  readonly #lines: AsyncGenerator<string>;
  readonly #report: (problem: Problem) => void;
  /** Read and not behind us. */
  readonly #ahead: Signed[] = [];
  #last: Checkpoint | null = null;
  #lastDigest = '';
  readonly #seen = new Set<string>();
  #isEnd = false;
  #isDiffering = false;

  private constructor(file: WitnessFile, end: number, key: VerifyingKey, report: (problem: Problem) => void) {
    this.#file = file;
    this.#key = key;
    this.#lines = new LineFile(file.path).lines(end);
    this.#report = report;
  }

  /** What is signed from now on is not read. Rejects when the file is there and cannot be read. */
  static async open(file: WitnessFile, key: VerifyingKey, report: (problem: Problem) => void): Promise<Witness> {
    return new Witness(file, await new LineFile(file.path).size(), key, report);
  }

  /** The last entry that is signed; 0 when none is. */
  get seq(): number {
    return this.#last?.seq ?? 0;
  }

  /** Whether one of the checkpoints that were read has a mark of this entry; not asked about entries long passed. */
  covers(seq: number): boolean {
    return this.#ahead.some((signed) => signed.from <= seq && seq <= signed.seq);
  }

  /** Must be called before `take` is called with entries up to `seq`. */
  async readUpTo(seq: number): Promise<void> {
    while (!this.#isEnd && this.seq < seq) {
      const next = await this.#lines.next();
      if (next.done === true) this.#isEnd = true;
      else this.#readLine(next.value);
    }
  }

  take(row: HexRow): void {
    while (this.#ahead[0] !== undefined && this.#ahead[0].seq < row.seq) this.#ahead.shift();
    const [signed] = this.#ahead;
    if (signed === undefined || row.seq < signed.from) return;
    if (isBorneOut(row, signed)) {
      if (signed.marks !== null || row.seq === signed.seq) this.#isDiffering = false;
      return;
    }
    // What follows differs too, for each entry holds the hash of the one before.
    if (!this.#isDiffering) {
      const says = `entry ${row.seq} is not the one that was signed${this.#where}: it was edited, or the chain was replaced or chained anew from here on`;
      this.#report({ what: 'rewritten', seq: row.seq, callId: row.callId, says });
    }
    this.#isDiffering = true;
  }

  /** After the last entry. */
  async finish(lastSeq: number): Promise<void> {
    await this.readUpTo(Number.MAX_SAFE_INTEGER);
    if (this.seq <= lastSeq) return;
    const says = `entries ${lastSeq + 1} to ${this.seq} are missing at the end, though they were signed${this.#where}: the chain was cut`;
    this.#report({ what: 'removed', seq: lastSeq + 1, callId: null, says });
  }

  #readLine(line: string): void {
    const checkpoint = parseCheckpoint(line);
    // A line that a power cut has torn was written again; that one is missing shows in the next.
    if (checkpoint === null) return;
    const { from, seq, prev, marks = null, hash } = checkpoint;
    if (!isGenuine(checkpoint, this.#key)) {
      const says = `the checkpoint of entry ${seq}${this.#where} is not signed with the key of this house`;
      this.#report({ what: 'checkpointForged', seq, callId: null, says });
      return;
    }
    const digest = digestOf(checkpoint);
    // A write that failed half way was repeated.
    if (this.#seen.has(digest)) return;
    this.#seen.add(digest);
    if (this.#seen.size > 1000) this.#seen.delete(this.#seen.values().next().value!);
    if (this.#file.isOurs && (from !== this.seq + 1 || prev !== this.#lastDigest)) this.#gap(from);
    this.#lastDigest = digest;
    this.#last = checkpoint;
    this.#ahead.push({
      from: marks === null ? seq : from,
      seq,
      hash,
      marks: marks === null ? null : Buffer.from(marks, 'base64').toString('hex'),
    });
  }

  #gap(from: number): void {
    const first = Math.min(this.seq + 1, from);
    const says =
      from > this.seq + 1
        ? `entries ${this.seq + 1} to ${from - 1} are under no checkpoint: a checkpoint was removed, or could not be written`
        : `a checkpoint before entry ${from} was removed, or the chain was cut there and went on`;
    this.#report({ what: 'checkpointMissing', seq: first, callId: null, says });
  }

  get #where(): string {
    return this.#file.isOurs ? '' : ` (${this.#file.path})`;
  }
}

function isBorneOut(row: HexRow, signed: Signed): boolean {
  if (row.seq === signed.seq) return row.hash === signed.hash;
  if (signed.marks === null) return true;
  const characters = 2 * MARK_BYTES;
  const at = (row.seq - signed.from) * characters;
  return signed.marks.slice(at, at + characters) === row.hash.slice(0, characters);
}
