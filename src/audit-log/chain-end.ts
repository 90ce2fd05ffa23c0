import type { ChainHead, ChainRow, ChainStore } from '../core/audit/index.ts';
import { HeadFile, type HeadState } from './head-file.ts';
import { type Body, GENESIS, isSame, link } from './link.ts';

/** The chain is not the one that was certified. */
export interface Broken {
  readonly because: string;
  readonly certifiedEntries: number;
  readonly foundEntries: number;
}

const MAX_HEAD_MOVES = 20;

/** The end of the chain, where entries are appended; certified in a file beside the store, so that nobody cuts it off unseen. */
export class ChainEnd {
  readonly #store: ChainStore;
  readonly #file: HeadFile;
  readonly #onAppended: (rows: readonly ChainRow[]) => void;
  #head: ChainHead | null = null;
  #writing: Promise<void> | null = null;
  /** The file does not have the head yet. */
  #isOld = false;

  constructor(parts: {
    readonly store: ChainStore;
    readonly headPath: string;
    readonly headKey: Uint8Array;
    readonly onAppended: (rows: readonly ChainRow[]) => void;
  }) {
    this.#store = parts.store;
    this.#file = new HeadFile(parts.headPath, parts.headKey);
    this.#onAppended = parts.onAppended;
  }

  get isKnown(): boolean {
    return this.#head !== null;
  }

  /** Entry the chain ends with, as far as we know. */
  get seq(): number {
    return this.#head?.seq ?? 0;
  }

  /**
   * Asks the store, and compares with what was certified last; a head that the chain does not bear out is set aside
   * under `suffix`. null when all is well. Rejects when the store does.
   */
  async learn(suffix: string): Promise<Broken | null> {
    await this.#writing;
    const certified = await this.#file.read();
    const head = await this.#store.head();
    const because = await difference(certified, head, this.#store);
    this.#head = head;
    if (because !== null && certified.kind !== 'missing') await this.#file.setAside(suffix);
    // At once, for other processes look for it too; that it cannot be written is told with the next entry.
    if (because !== null || certified.kind === 'missing') await this.#file.write(head).catch(() => undefined);
    if (because === null) return null;
    const certifiedEntries = certified.kind === 'certified' ? certified.head.seq : 0;
    return { because, certifiedEntries, foundEntries: head.seq };
  }

  /** Chains and appends; starts again when another process was faster. Rejects when the store does. */
  async append(bodies: readonly Body[]): Promise<void> {
    let head = this.#head ?? GENESIS;
    for (let tries = 0; tries < MAX_HEAD_MOVES; tries++) {
      const rows = link(head, bodies);
      const result = await this.#store.append(head, rows);
      if (result.kind === 'appended') {
        const last = rows.at(-1);
        this.#head = last === undefined ? head : { seq: last.seq, hash: last.hash };
        this.#onAppended(rows);
        return;
      }
      head = result.head;
    }
    throw new Error('other processes append without a pause');
  }

  /**
   * Writes the certified head, beside whatever is appended meanwhile: who is killed in between has entries that are chained,
   * and certified by the next start. `told` gets null, or what the disk says.
   */
  certify(told: (error: unknown) => void): void {
    this.#isOld = true;
    this.#writing ??= this.#write(told).finally(() => {
      this.#writing = null;
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #write(told: (error: unknown) => void): Promise<void> {
    while (this.#isOld && this.#head !== null) {
      this.#isOld = false;
      try {
        await this.#file.write(this.#head);
        told(null);
      } catch (error) {
        told(error);
      }
    }
  }
}

/** null when the chain bears out what was certified. */
async function difference(certified: HeadState, head: ChainHead, store: ChainStore): Promise<string | null> {
  switch (certified.kind) {
    case 'missing':
      return head.seq === GENESIS.seq ? null : 'the certified head is missing';
    case 'forged':
      return 'the certified head is damaged, or was made without the key';
    case 'certified': {
      const { seq, hash } = certified.head;
      if (seq === 0) return null;
      if (head.seq < seq) return `the chain was cut: entries ${head.seq + 1} to ${seq} are missing`;
      const [row] = await store.read(seq - 1, 1);
      return row !== undefined && row.seq === seq && isSame(row.hash, hash)
        ? null
        : `entry ${seq} is not the one that was certified`;
    }
  }
}
