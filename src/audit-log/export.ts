import type { ChainHead, ChainRow, ChainStore } from '../core/audit/index.ts';
import { type Checkpoint, isGenuine, parseCheckpoint } from './checkpoint.ts';
import { LineFile } from './line-file.ts';
import { hashOf, isSame } from './link.ts';
import { type SigningKey, verifyingKey } from './signing-key.ts';

/**
 * Part of the chain as JSON lines that can be checked without this house: docs/reference/audit-chain.md is their
 * specification, docs/verify-audit-export.mjs a program that does it.
 */
export interface ExportParts {
  readonly store: Pick<ChainStore, 'read' | 'head'>;
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

/** One line after the other; returns how many entries there were, and whether each follows and the end was signed. */
export async function* exportLines(parts: ExportParts): AsyncGenerator<string, { entries: number; isSigned: boolean }> {
  const { store, key, site, at, from, to } = parts;
  const [first] = await store.read(from - 1, 1);
  const prev = Buffer.from(first?.prev ?? new Uint8Array(32)).toString('hex');
  yield JSON.stringify({ type: 'export', version: 1, site, at, publicKey: key.publicKey, from, to, prev });
  const checkpoints = new CheckpointsAlong(parts);
  let end: ChainHead = { seq: from - 1, hash: Buffer.from(prev, 'hex') };
  let entries = 0;
  let isWhole = true;
  for (let rows = await page(store, end.seq, to); rows.length > 0; rows = await page(store, end.seq, to)) {
    for (const row of rows) {
      if (row.seq !== end.seq + 1 || !isSame(hashOf(end.hash, row.body), row.hash)) isWhole = false;
      end = { seq: row.seq, hash: row.hash };
      entries += 1;
      yield JSON.stringify({
        type: 'entry',
        seq: row.seq,
        body: row.body,
        hash: Buffer.from(row.hash).toString('hex'),
      });
      const checkpoint = await checkpoints.of(row.seq);
      if (checkpoint !== null) yield JSON.stringify({ type: 'checkpoint', ...checkpoint });
    }
  }
  const isSigned = isWhole && entries === to - from + 1;
  const seal = { at, entries, from, hash: Buffer.from(end.hash).toString('hex'), key: key.id, prev, to };
  const sig = isSigned ? key.sign(`wardline audit export 1\n${JSON.stringify(seal)}`) : '';
  yield JSON.stringify({ type: 'end', ...seal, sig });
  return { entries, isSigned };
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
