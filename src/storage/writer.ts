import type { AppendResult, ChainHead, ChainRow } from '../core/audit/index.ts';
import { never } from '../core/never.ts';
import type { SqliteDatabase } from './database.ts';
import { InsertRows } from './insert-rows.ts';
import { type KeptDocuments, keepDocuments } from './keep-documents.ts';
import { type PackedRows, pack } from './packed-rows.ts';

/** What may be lost in a power cut (but not in a kill) and made again: the call index from the audit, bindings by phones. */
export type StoreChange =
  | {
      readonly kind: 'callStarted';
      readonly callId: string;
      readonly at: number;
      /** Sealed already. */
      readonly from: string;
      readonly dialled: string;
    }
  | {
      readonly kind: 'callEnded';
      readonly callId: string;
      readonly at: number;
      readonly cause: string;
      readonly acceptedBy: string | null;
      readonly service: string | null;
    }
  | {
      readonly kind: 'bindingSaved';
      readonly extension: string;
      readonly contact: string;
      readonly details: string;
      readonly expiresAt: number;
    }
  | { readonly kind: 'bindingRemoved'; readonly extension: string; readonly contact: string };

/** Rows that go behind one link, all or none. */
export interface RowGroup {
  readonly after: ChainHead;
  readonly rows: PackedRows;
}

/** Whatever is written while calls run. One implementation here; writer-thread.ts runs it in a thread of its own. */
export interface StoreWriter {
  append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult>;
  /** Never throws, never waits: written with the next append, or after a moment, and kept while the store is away. */
  change(change: StoreChange): void;
  /** Resolves when they are durable. */
  keep(kept: KeptDocuments): Promise<void>;
  close(): Promise<void>;
}

const CHANGE_WAIT_MS = 20;
const RETRY_MS = 1000;
/** Beyond this the oldest changes are dropped. */
const MAX_CHANGES = 100_000;

export class DirectWriter implements StoreWriter {
  readonly #db: SqliteDatabase;
  readonly #rows: InsertRows;
  readonly #last;
  readonly #callStarted;
  readonly #callEnded;
  readonly #bindingSaved;
  readonly #bindingRemoved;
  #changes: StoreChange[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(db: SqliteDatabase) {
    this.#db = db;
    this.#rows = new InsertRows(db);
    this.#last = db.prepare<[], ChainHead>('select seq, hash from audit_entries order by seq desc limit 1');
    this.#callStarted = db.prepare<[string, number, string, string]>(
      'insert into calls (call_id, started_at, from_sealed, dialled) values (?, ?, ?, ?) on conflict do nothing',
    );
    this.#callEnded = db.prepare<[number, string, string | null, string | null, string]>(
      'update calls set ended_at = ?, cause = ?, accepted_by = ?, service = ? where call_id = ?',
    );
    // A phone that has been removed meanwhile gets no binding.
    this.#bindingSaved = db.prepare<[string, string, string, number, string]>(
      `insert into bindings (extension, contact, details, expires_at)
       select ?, ?, ?, ? where exists (select 1 from phones where extension = ?)
       on conflict do update set details = excluded.details, expires_at = excluded.expires_at`,
    );
    this.#bindingRemoved = db.prepare<[string, string]>('delete from bindings where extension = ? and contact = ?');
  }

  async append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult> {
    return this.appendNow(after, rows);
  }

  appendNow(after: ChainHead, rows: readonly ChainRow[]): AppendResult {
    const [result] = this.appendAll([{ after, rows: pack(rows) }]);
    return result ?? { kind: 'headMoved', head: this.head() };
  }

  /** In one commit, in order; each has an answer of its own. Throws when nothing at all could be written. */
  appendAll(groups: readonly RowGroup[]): readonly AppendResult[] {
    const changes = this.#changes;
    const results = this.#db.immediately(() => {
      let head = this.head();
      const answers = groups.map(({ after, rows }): AppendResult => {
        if (!isSameLink(head, after)) return { kind: 'headMoved', head };
        head = this.#rows.insert(head, rows);
        return { kind: 'appended' };
      });
      this.#apply(changes);
      return answers;
    });
    this.#changes = [];
    return results;
  }

  head(): ChainHead {
    return this.#last.get() ?? { seq: 0, hash: new Uint8Array(32) };
  }

  async keep(kept: KeptDocuments): Promise<void> {
    keepDocuments(this.#db, kept);
  }

  change(change: StoreChange): void {
    this.#changes.push(change);
    if (this.#changes.length > MAX_CHANGES) this.#changes.shift();
    this.#timer ??= setTimeout(() => this.#flush(), CHANGE_WAIT_MS);
  }

  async close(): Promise<void> {
    this.#flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#changes.length === 0) return;
    try {
      this.#db.immediately(() => this.#apply(this.#changes));
      this.#changes = [];
    } catch {
      // Locked or full. Not reported here: the audit writes to the same store and raises the alarm.
      this.#timer = setTimeout(() => this.#flush(), RETRY_MS);
      this.#timer.unref();
    }
  }

  #apply(changes: readonly StoreChange[]): void {
    for (const change of changes) {
      switch (change.kind) {
        case 'callStarted':
          this.#callStarted.run(change.callId, change.at, change.from, change.dialled);
          break;
        case 'callEnded':
          this.#callEnded.run(change.at, change.cause, change.acceptedBy, change.service, change.callId);
          break;
        case 'bindingSaved': {
          const { extension, contact, details, expiresAt } = change;
          this.#bindingSaved.run(extension, contact, details, expiresAt, extension);
          break;
        }
        case 'bindingRemoved':
          this.#bindingRemoved.run(change.extension, change.contact);
          break;
        default:
          never(change);
      }
    }
  }
}

function isSameLink(one: ChainHead, other: ChainHead): boolean {
  return one.seq === other.seq && Buffer.compare(one.hash, other.hash) === 0;
}
