import type { ChainHead, ChainRow, ChainStore } from '../core/audit/index.ts';
import type { HeadFile } from './head-file.ts';
import { hashOf, hexOf, isSame } from './link.ts';
import type { Problem } from './problem.ts';
import type { VerifyingKey } from './signing-key.ts';
import { Witness } from './witness.ts';

const PAGE_ROWS = 1000;

interface VouchParts {
  readonly store: Pick<ChainStore, 'read'>;
  readonly headFile: HeadFile;
  readonly checkpointPath: string;
  readonly key: VerifyingKey;
}

/**
 * Whether entries that this house is asked to sign are those that it has signed and certified before: who edits the store
 * and chains it anew must not get a signature for it by way of an export.
 */
export class Vouch {
  readonly #store: Pick<ChainStore, 'read'>;
  /** null when it is missing or forged. */
  readonly #certified: ChainHead | null;
  readonly #witness: Witness;
  readonly #problems: readonly Problem[];
  readonly #after: ChainHead;
  #end: ChainHead;
  #isWhole = true;
  #isCertified = false;

  private constructor(
    parts: VouchParts,
    after: ChainHead,
    seen: { readonly certified: ChainHead | null; readonly witness: Witness; readonly problems: readonly Problem[] },
  ) {
    this.#store = parts.store;
    this.#after = after;
    this.#end = after;
    this.#certified = seen.certified;
    this.#witness = seen.witness;
    this.#problems = seen.problems;
  }

  /** `after`: what the first entry follows. Rejects when the checkpoints or the head are there and cannot be read. */
  static async open(parts: VouchParts, after: ChainHead): Promise<Vouch> {
    const { headFile, checkpointPath, key } = parts;
    // Before the entries: what is appended meanwhile lies behind it.
    const state = await headFile.read();
    const problems: Problem[] = [];
    const witness = await Witness.open({ path: checkpointPath, isOurs: true }, key, (problem) =>
      problems.push(problem),
    );
    return new Vouch(parts, after, { certified: state.kind === 'certified' ? state.head : null, witness, problems });
  }

  /** In order. */
  async take(rows: readonly ChainRow[]): Promise<void> {
    await this.#witness.readUpTo(rows.at(-1)?.seq ?? 0);
    for (const row of rows) {
      if (!follows(row, this.#end)) this.#isWhole = false;
      this.#end = { seq: row.seq, hash: row.hash };
      if (row.seq === this.#certified?.seq) {
        this.#isCertified = isSame(row.hash, this.#certified.hash);
        if (!this.#isCertified) this.#isWhole = false;
      }
      this.#witness.take({ ...row, prev: hexOf(row.prev), hash: hexOf(row.hash) });
    }
  }

  /** After the last of them. */
  async isBorneOut(): Promise<boolean> {
    // What is wrong with a checkpoint itself says nothing about these entries: verify tells of it.
    const isAsSigned = () => this.#isWhole && this.#problems.every(({ what }) => what !== 'rewritten');
    if (!isAsSigned() || this.#isCertified || this.#witness.covers(this.#end.seq)) return isAsSigned();
    return this.#certified !== null && (await this.#leadsToHead(this.#certified)) && isAsSigned();
  }

  /** No checkpoint is behind these entries yet, so the certified head has to be: it is not far. */
  async #leadsToHead(certified: ChainHead): Promise<boolean> {
    const [from, to] = certified.seq <= this.#after.seq ? [certified, this.#after] : [this.#end, certified];
    let end = from;
    while (end.seq < to.seq) {
      const rows = await this.#store.read(end.seq, Math.min(PAGE_ROWS, to.seq - end.seq));
      if (rows.length === 0) return false;
      for (const row of rows) {
        if (!follows(row, end)) return false;
        end = { seq: row.seq, hash: row.hash };
      }
    }
    return isSame(end.hash, to.hash);
  }
}

function follows(row: ChainRow, end: ChainHead): boolean {
  // SQLite keeps whatever it is given, also bytes where a text belongs.
  if (typeof row.body !== 'string') return false;
  return row.seq === end.seq + 1 && isSame(row.prev, end.hash) && isSame(hashOf(end.hash, row.body), row.hash);
}
