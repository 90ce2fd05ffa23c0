import type { ChainHead, ChainRow, ChainStore } from '../core/audit/index.ts';
import { type Checkpoint, isGenuine, parseCheckpoint } from './checkpoint.ts';
import type { HeadFile } from './head-file.ts';
import { LineFile } from './line-file.ts';
import { hexOf } from './link.ts';
import { type SigningKey, verifyingKey } from './signing-key.ts';
import { Vouch } from './vouch.ts';

/**
 * Part of the chain as JSON lines that can be checked without this house: docs/reference/audit-chain.md is their
 * specification, docs/verify-audit-export.mjs a program that does it.
 */
export interface ExportParts {
  readonly store: Pick<ChainStore, 'read' | 'head'>;
  readonly headFile: HeadFile;
  readonly checkpointPath: string;
  readonly key: SigningKey;
  readonly site: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** First and last entry, both included. */
  readonly from: number;
  readonly to: number;
}

const PAGE_ROWS = 1000;

/**
 * One line after the other; returns how many entries there were, and whether the end was signed: only when each follows, and
 * none differs from what this house has put its name to before.
 */
export async function* exportLines(parts: ExportParts): AsyncGenerator<string, { entries: number; isSigned: boolean }> {
  const { store, key, site, at, from, to } = parts;
  const [first] = await store.read(from - 1, 1);
  const prev = hexOf(first?.prev ?? new Uint8Array(32));
  let end: ChainHead = { seq: from - 1, hash: Buffer.from(prev, 'hex') };
  const vouch = await Vouch.open({ ...parts, key: verifyingKey(key.publicKey) }, end);
  yield JSON.stringify({ type: 'export', version: 2, site, at, publicKey: key.publicKey, from, to, prev });
  const checkpointsAlong = new CheckpointsAlong(parts);
  let [entries, checkpoints] = [0, 0];
  for (let rows = await page(store, end.seq, to); rows.length > 0; rows = await page(store, end.seq, to)) {
    await vouch.take(rows);
    for (const { seq, body, hash } of rows) {
      end = { seq, hash };
      entries += 1;
      yield JSON.stringify({ type: 'entry', seq, body, hash: hexOf(hash) });
      const checkpoint = await checkpointsAlong.of(seq);
      if (checkpoint === null) continue;
      checkpoints += 1;
      yield JSON.stringify({ type: 'checkpoint', ...inOrder(checkpoint) });
    }
  }
  const isSigned = entries === to - from + 1 && (await vouch.isBorneOut());
  const seal = { at, checkpoints, entries, from, hash: hexOf(end.hash), key: key.id, prev, site, to };
  const sig = isSigned ? key.sign(`wardline audit export 2\n${JSON.stringify(seal)}`) : '';
  yield JSON.stringify({ type: 'end', ...seal, sig });
  return { entries, isSigned };
}

/** Every byte of an export counts, also the order of what a line holds. */
function inOrder({ at, from, hash, key, marksHash, prev, seq, sig, marks = '' }: Checkpoint): Checkpoint {
  return { at, from, hash, key, marksHash, prev, seq, sig, marks };
}

async function page(store: Pick<ChainStore, 'read'>, afterSeq: number, to: number): Promise<readonly ChainRow[]> {
  return afterSeq >= to ? [] : store.read(afterSeq, Math.min(PAGE_ROWS, to - afterSeq));
}

/** The checkpoints of this house, in step with the entries. */
class CheckpointsAlong {
  readonly #lines: Promise<AsyncGenerator<string>>;
  readonly #key;
  #next: Checkpoint | null = null;
  #isEnd = false;

  constructor({ checkpointPath, key }: ExportParts) {
    const file = new LineFile(checkpointPath);
    this.#lines = file.size().then((size) => file.lines(size));
    this.#key = verifyingKey(key.publicKey);
  }

  async of(seq: number): Promise<Checkpoint | null> {
    while (!this.#isEnd && (this.#next === null || this.#next.seq < seq)) {
      const line = await (await this.#lines).next();
      if (line.done === true) this.#isEnd = true;
      const read = line.done === true ? null : parseCheckpoint(line.value);
      this.#next = read !== null && isGenuine(read, this.#key) ? read : null;
    }
    return this.#next?.seq === seq ? this.#next : null;
  }
}
