import { readBody, type ChainRow, type ChainStore, type ReadEntry } from '../core/audit/index.ts';
import { exportLines } from './export.ts';
import { HeadFile } from './head-file.ts';
import { writeReceipt } from './receipts.ts';
import { type SigningKey, signingKey, verifyingKey } from './signing-key.ts';
import { verifyChain, type Verdict } from './verify.ts';

export interface AuditRecord extends ReadEntry {
  readonly seq: number;
}

export interface AuditReaderOptions {
  readonly store: ChainStore;
  readonly headPath: string;
  readonly headKey: Uint8Array;
  readonly signing: {
    /** 32 bytes, from the vault. */
    readonly seed: Uint8Array;
    readonly checkpointPath: string;
    readonly receiptPath: string;
    /** Files of signed heads outside, to compare with. */
    readonly copies?: readonly string[];
  };
  /** Opens sealed names and numbers; without it they read "[sealed]". */
  readonly open?: (sealed: string) => string | null;
}

/** Entries by number, both included; `last` below `first` for none. */
export interface EntryRange {
  readonly first: number;
  readonly last: number;
}

const MAX_CALL_ENTRIES = 10_000;
const PAGE_ROWS = 1000;

/** Reads the chain and judges it. Rejects with PortError storeUnavailable or storeDamaged. */
export class AuditReader {
  readonly #options: AuditReaderOptions;
  readonly #store: ChainStore;
  readonly #key: SigningKey;
  readonly #open: (sealed: string) => string | null;

  constructor(options: AuditReaderOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#key = signingKey(options.signing.seed);
    this.#open = options.open ?? (() => null);
  }

  /** In order; [] for a call that the audit does not know. */
  async ofCall(callId: string): Promise<readonly AuditRecord[]> {
    return (await this.#store.ofCall(callId, MAX_CALL_ENTRIES)).map((row) => this.#record(row));
  }

  /** In order, from behind `afterSeq` (0 for the beginning). */
  async list(page: { readonly afterSeq: number; readonly limit: number }): Promise<readonly AuditRecord[]> {
    return (await this.#store.read(page.afterSeq, page.limit)).map((row) => this.#record(row));
  }

  async verify(): Promise<Verdict> {
    const { headPath, headKey, signing } = this.#options;
    return verifyChain(this.#store, new HeadFile(headPath, headKey), {
      key: verifyingKey(this.#key.publicKey),
      receiptPath: signing.receiptPath,
      files: [
        { path: signing.checkpointPath, isOurs: true },
        ...(signing.copies ?? []).map((path) => ({ path, isOurs: false })),
      ],
    });
  }

  /** Ed25519, 32 bytes as base64url: for whoever checks an export. */
  get publicKey(): string {
    return this.#key.publicKey;
  }

  /** Tells this key from others: the beginning of its SHA-256. */
  get keyId(): string {
    return this.#key.id;
  }

  /**
   * The entries written from `from` on and before `to` (milliseconds since 1970). An entry that was late stands where it
   * was written, so its own time may lie before.
   */
  async between(from: number, to: number): Promise<EntryRange> {
    const [oldest] = await this.#store.read(0, 1);
    const { seq: newest } = await this.#store.head();
    if (oldest === undefined) return { first: 1, last: 0 };
    const first = await this.#firstAt(from, oldest.seq, newest);
    return { first, last: (await this.#firstAt(to, first, newest)) - 1 };
  }

  async *records({ first, last }: EntryRange): AsyncGenerator<AuditRecord> {
    for (let after = first - 1; after < last; ) {
      const rows = await this.#store.read(after, Math.min(PAGE_ROWS, last - after));
      for (const row of rows) yield this.#record(row);
      if (rows.length === 0) return;
      after = rows.at(-1)?.seq ?? last;
    }
  }

  /** Lines that can be checked elsewhere (export.ts). `at`: milliseconds since 1970. */
  exportLines({ first, last }: EntryRange, about: { readonly site: string; readonly at: number }) {
    const { headPath, headKey, signing } = this.#options;
    const headFile = new HeadFile(headPath, headKey);
    const { checkpointPath } = signing;
    return exportLines({
      ...about,
      store: this.#store,
      headFile,
      checkpointPath,
      key: this.#key,
      from: first,
      to: last,
    });
  }

  /**
   * Puts it in writing that the entries up to `last` are about to be cut off. Rejects when that cannot be written; then
   * nothing may be cut.
   */
  async receipt(
    { first, last }: EntryRange,
    about: { readonly at: number; readonly before: number; readonly by: string },
  ) {
    const [row] = await this.#store.read(last - 1, 1);
    if (row?.seq !== last) throw new TypeError(`entry ${last} is not there`);
    const hash = Buffer.from(row.hash).toString('hex');
    await writeReceipt(this.#options.signing.receiptPath, this.#key, { ...about, from: first, to: last, hash });
    return hash;
  }

  /** The first entry of `at` or later, by halving; one behind the last when there is none. */
  async #firstAt(at: number, oldest: number, newest: number): Promise<number> {
    let [low, high] = [oldest, newest + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [row] = await this.#store.read(middle - 1, 1);
      if (row !== undefined && row.at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #record(row: ChainRow): AuditRecord {
    return { seq: row.seq, ...readBody(row.body, this.#open) };
  }
}
