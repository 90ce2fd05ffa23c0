import { readBody, type ChainRow, type ChainStore, type ReadEntry } from '../core/audit/index.ts';
import { HeadFile } from './head-file.ts';
import { verifyChain, type Verdict } from './verify.ts';

export interface AuditRecord extends ReadEntry {
  readonly seq: number;
}

export interface AuditReaderOptions {
  readonly store: ChainStore;
  readonly headPath: string;
  readonly headKey: Uint8Array;
  /** Opens sealed names and numbers; without it they read "[sealed]". */
  readonly open?: (sealed: string) => string | null;
}

const MAX_CALL_ENTRIES = 10_000;

/** Reads the chain and judges it. Rejects with PortError storeUnavailable or storeDamaged. */
export class AuditReader {
  readonly #store: ChainStore;
  readonly #headFile: HeadFile;
  readonly #open: (sealed: string) => string | null;

  constructor(options: AuditReaderOptions) {
    this.#store = options.store;
    this.#headFile = new HeadFile(options.headPath, options.headKey);
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
    return verifyChain(this.#store, this.#headFile);
  }

  #record(row: ChainRow): AuditRecord {
    return { seq: row.seq, ...readBody(row.body, this.#open) };
  }
}
