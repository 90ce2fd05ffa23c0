import type { AppendResult, ChainHead, ChainRow, ChainStore, HexRow } from '../core/audit/index.ts';
import { sql } from 'kysely';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import { faultsIn } from './faults.ts';
import type { StoreWriter } from './writer.ts';

/** The links of the audit chain: read on this connection, written by the writer. */
export class SqliteChain implements ChainStore {
  readonly #db: SqliteDatabase;
  readonly #writer: StoreWriter | null;

  /** Without a writer the chain can only be read. */
  constructor(db: SqliteDatabase, writer: StoreWriter | null) {
    this.#db = db;
    this.#writer = writer;
  }

  async head(): Promise<ChainHead> {
    const query = build.selectFrom('audit_entries').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1);
    return this.#db.first(query) ?? { seq: 0, hash: new Uint8Array(32) };
  }

  async append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult> {
    if (this.#writer === null) throw new TypeError('this store was opened for reading');
    return this.#writer.append(after, rows);
  }

  async read(afterSeq: number, limit: number): Promise<readonly ChainRow[]> {
    return this.#db.all(this.#rows().where('seq', '>', afterSeq).orderBy('seq').limit(limit));
  }

  async readHex(afterSeq: number, limit: number): Promise<readonly HexRow[]> {
    const rows = build
      .selectFrom('audit_entries')
      .select(['seq', 'at', 'call_id as callId', 'body'])
      .select([hexIfBytes('prev'), hexIfBytes('hash')]);
    return this.#db.all(rows.where('seq', '>', afterSeq).orderBy('seq').limit(limit));
  }

  async bodyBytes(seq: number): Promise<Uint8Array | null> {
    const bytes = sql<Uint8Array>`cast(body as blob)`.as('bytes');
    return this.#db.first(build.selectFrom('audit_entries').select(bytes).where('seq', '=', seq))?.bytes ?? null;
  }

  async ofCall(callId: string, limit: number): Promise<readonly ChainRow[]> {
    return this.#db.all(this.#rows().where('call_id', '=', callId).orderBy('seq').limit(limit));
  }

  /** Deletes the oldest entries up to and including `seq`, at most `limit` of them, over-written on disk; how many went. */
  async cutOff(seq: number, limit: number): Promise<number> {
    this.#db.exec('PRAGMA secure_delete = ON');
    const oldest = build.selectFrom('audit_entries').select('seq').where('seq', '<=', seq).orderBy('seq').limit(limit);
    return this.#db.run(build.deleteFrom('audit_entries').where('seq', 'in', oldest));
  }

  async faults(): Promise<readonly string[]> {
    return faultsIn(this.#db);
  }

  #rows() {
    return build.selectFrom('audit_entries').select(['seq', 'at', 'call_id as callId', 'body', 'prev', 'hash']);
  }
}

/**
 * SQLite makes text of a hash much faster than better-sqlite3 makes a Buffer. What is no hash but a text that looks like one
 * in hex, which nobody but who edits the file can have put there, becomes ''.
 */
function hexIfBytes(column: 'prev' | 'hash') {
  const bytes = sql.ref(column);
  return sql<string>`case typeof(${bytes}) when 'blob' then lower(hex(${bytes})) else '' end`.as(column);
}
