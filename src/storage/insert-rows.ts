import type { ChainHead } from '../core/audit/index.ts';
import type { SqliteDatabase } from './database.ts';
import { HASH_BYTES, type PackedRows } from './packed-rows.ts';

/** One statement for many rows costs about half of many statements. */
const MANY_ROWS = 16;

/** Puts links of the audit chain into the store. Bodies and hashes go over in one piece, and SQLite cuts it up. */
export class InsertRows {
  readonly #one;
  readonly #many;

  constructor(db: SqliteDatabase) {
    this.#one = db.prepare<unknown[]>(insertRows(1));
    this.#many = db.prepare<unknown[]>(insertRows(MANY_ROWS));
  }

  /** Inside a transaction; gives the new last link. */
  insert(after: ChainHead, { at, callIds, bytes, lengths }: PackedRows): ChainHead {
    let { seq } = after;
    let start = 0;
    for (let row = 0; row < lengths.length; ) {
      const count = row + MANY_ROWS <= lengths.length ? MANY_ROWS : 1;
      const values: unknown[] = [];
      let offset = 0;
      for (const end = row + count; row < end; row++) {
        const length = lengths[row] ?? 0;
        seq += 1;
        values.push(seq, at[row], callIds[row], offset, length);
        offset += length + HASH_BYTES;
      }
      const statement = count === 1 ? this.#one : this.#many;
      statement.run(bytes.subarray(start, start + offset + HASH_BYTES), ...values);
      start += offset;
    }
    return { seq, hash: bytes.slice(start, start + HASH_BYTES) };
  }
}

/** Parameters: the piece; then of each row its number, time, call, the byte before its back link, the bytes of its body. */
function insertRows(count: number): string {
  const values = Array(count).fill('(?, ?, ?, ?, ?)').join(', ');
  const prev = `substr(piece, column4 + 1, ${HASH_BYTES})`;
  const body = `cast(substr(piece, column4 + ${1 + HASH_BYTES}, column5) as text)`;
  const hash = `substr(piece, column4 + ${1 + HASH_BYTES} + column5, ${HASH_BYTES})`;
  return `insert into audit_entries (seq, at, call_id, body, prev, hash)
    select column1, column2, column3, ${body}, ${prev}, ${hash}
    from (select ? as piece) cross join (values ${values})`;
}
