import type { ChainRow } from '../core/audit/index.ts';

/**
 * Rows that follow each other, in few objects: to copy one object per row to another thread, and to hand each text to the
 * store by itself, costs more than writing it.
 */
export interface PackedRows {
  readonly at: readonly number[];
  readonly callIds: readonly (string | null)[];
  /** The back link of the first row; then of each row its body and its hash, which is the back link of the next. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of each body, in UTF-8. */
  readonly lengths: readonly number[];
}

export const HASH_BYTES = 32;
/** The most that one character of a JavaScript string takes in UTF-8. */
const MAX_UTF8 = 3;

/** A new piece of memory of its own, that can be given away. */
export function pack(rows: readonly ChainRow[]): PackedRows {
  const most = rows.reduce((sum, { body }) => sum + body.length * MAX_UTF8 + HASH_BYTES, HASH_BYTES);
  const bytes = Buffer.from(new ArrayBuffer(most));
  const [first] = rows;
  if (first !== undefined) bytes.set(first.prev);
  let end = HASH_BYTES;
  const lengths = rows.map(({ body, hash }) => {
    const length = bytes.write(body, end);
    bytes.set(hash, end + length);
    end += length + HASH_BYTES;
    return length;
  });
  return { at: rows.map(({ at }) => at), callIds: rows.map(({ callId }) => callId), bytes, lengths };
}
