import type { AppendResult, ChainHead, ChainRow, ChainStore } from '../core/audit/index.ts';
import type { Clock } from '../engine/ports.ts';
import { HeadFile, type HeadState } from './head-file.ts';
import { type Body, GENESIS, isSame, link } from './link.ts';

/** The chain is not the one that was certified. */
export interface Broken {
  readonly because: string;
  readonly certifiedEntries: number;
  readonly foundEntries: number;
}

/** A group of entries on its way into the store. */
interface Sent {
  readonly rows: readonly ChainRow[];
  readonly outcome: Promise<AppendResult | { readonly kind: 'failed'; readonly error: unknown }>;
}

const MAX_HEAD_MOVES = 20;
/** Hundreds of commits a second need not be certified one by one: who is killed in between loses no entry. */
const REST_MS = 20;

/**
 * The end of the chain, where entries are appended; certified in a file beside the store, so that nobody cuts it off unseen.
 * Several groups may be under way, each linked to the one before: the store takes them in order or not at all.
 */
export class ChainEnd {
  readonly #store: ChainStore;
  readonly #file: HeadFile;
  readonly #clock: Clock;
  readonly #onAppended: (rows: readonly ChainRow[]) => void;
  /** The last link that is in the store, as far as we know. */
  #head: ChainHead | null = null;
  /** The last link that was sent. */
  #tip: ChainHead = GENESIS;
  /** Oldest first. */
  #sent: Sent[] = [];
  /** Groups that failed: a store that died between commit and answer may have them after all. */
  #doubtful: readonly Sent[] = [];
  #isFailing = false;
  #writing: Promise<void> | null = null;
  /** The file does not have the head yet. */
  #isOld = false;
  #isClosed = false;
  /** Ends the pause between two writes of the file. */
  #endRest: () => void = () => {};
  /** Somebody waits for the file: there is no pause. */
  #isHurried = false;

  constructor(parts: {
    readonly store: ChainStore;
    readonly headPath: string;
    readonly headKey: Uint8Array;
    readonly clock: Clock;
    readonly onAppended: (rows: readonly ChainRow[]) => void;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
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
    await this.#written();
    const certified = await this.#file.read();
    const head = await this.#store.head();
    const because = await difference(certified, head, this.#store);
    this.#head = head;
    this.#tip = head;
    if (because !== null && certified.kind !== 'missing') await this.#file.setAside(suffix);
    // At once, for other processes look for it too; that it cannot be written is told with the next entry.
    if (because !== null || certified.kind === 'missing') await this.#file.write(head).catch(() => undefined);
    if (because === null) return null;
    const certifiedEntries = certified.kind === 'certified' ? certified.head.seq : 0;
    return { because, certifiedEntries, foundEntries: head.seq };
  }

  /** Whether a group can be sent: the end is known, and nothing that failed is in the way. */
  get canSend(): boolean {
    return this.#head !== null && !this.#isFailing && this.#doubtful.length === 0;
  }

  /** Chains a group behind those that were sent before, and does not wait for it: `oldest` does. */
  send(bodies: readonly Body[]): void {
    const after = this.#tip;
    const rows = link(after, bodies);
    const outcome = this.#store.append(after, rows).catch((error: unknown) => ({ kind: 'failed' as const, error }));
    this.#tip = rows.at(-1) ?? after;
    this.#sent.push({ rows, outcome });
  }

  /**
   * Resolves once the oldest group under way is in the store; all are sent again when another process was faster. Rejects
   * when the store does: then none is under way any more, and `settle` tells what became of them.
   */
  async oldest(): Promise<void> {
    for (let tries = 0; tries < MAX_HEAD_MOVES; tries++) {
      const [group] = this.#sent;
      if (group === undefined) return;
      const outcome = await group.outcome;
      if (outcome.kind === 'appended') {
        this.#sent.shift();
        return this.#took(group.rows);
      }
      if (outcome.kind === 'failed') return this.#fail(outcome.error);
      this.#sendAgain(outcome.head);
    }
    return this.#fail(new Error('other processes append without a pause'));
  }

  /**
   * After a failure, how many of the groups are in the store after all, the oldest ones; the others may be sent again
   * without being there twice. Rejects when the store cannot be asked.
   */
  async settle(): Promise<number> {
    let settled = 0;
    for (const { rows } of this.#doubtful) {
      if (!(await this.#has(rows.at(-1)))) break;
      settled += 1;
    }
    for (const { rows } of this.#doubtful.slice(0, settled)) this.#took(rows);
    this.#doubtful = [];
    this.#tip = this.#head ?? GENESIS;
    return settled;
  }

  /**
   * Writes the certified head, beside whatever is appended meanwhile: who is killed in between has entries that are chained,
   * and certified by the next start. `told` gets null, or what the disk says.
   */
  certify(told: (error: unknown) => void): void {
    // A store that answers at last, after everybody has gone: the next start certifies.
    if (this.#isClosed) return;
    this.#isOld = true;
    this.#writing ??= this.#write(told).finally(() => {
      this.#writing = null;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#written();
    await this.#file.close();
  }

  #took(rows: readonly ChainRow[]): void {
    const last = rows.at(-1);
    if (last !== undefined) this.#head = { seq: last.seq, hash: last.hash };
    this.#onAppended(rows);
  }

  /** None of what was sent can have been taken, for it follows a link that is not the last one. */
  #sendAgain(head: ChainHead): void {
    const groups = this.#sent;
    this.#sent = [];
    this.#tip = head;
    for (const { rows } of groups) this.send(rows);
  }

  async #fail(error: unknown): Promise<never> {
    this.#isFailing = true;
    // The last one ends last.
    await this.#sent.at(-1)?.outcome;
    this.#doubtful = this.#sent;
    this.#sent = [];
    this.#isFailing = false;
    throw error;
  }

  async #has(row: ChainRow | undefined): Promise<boolean> {
    if (row === undefined) return true;
    const [found] = await this.#store.read(row.seq - 1, 1);
    return found?.seq === row.seq && isSame(found.hash, row.hash);
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
      await this.#rest();
    }
  }

  #rest(): Promise<void> {
    if (this.#isHurried) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.after(REST_MS, resolve);
      this.#endRest = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Resolves when the file has the head, without any pause. */
  async #written(): Promise<void> {
    this.#isHurried = true;
    this.#endRest();
    await this.#writing;
    this.#isHurried = false;
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
