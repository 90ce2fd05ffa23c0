import { HASH_BYTES, KEY_ID_BYTES, MAX_RECIPIENTS, NAME_BYTES, sha256, SLOT_BYTES } from './container.ts';

/** One of the two places in a header that say who can open the container: they are the same, but for a moment in a re-wrapping. */
export interface KeySlot {
  /** Random; the additional data of every segment. The same for as long as the container lives. */
  readonly name: Buffer;
  /** Whose keys open it, as `keyIdOf` calls them. */
  readonly keyIds: readonly string[];
  /** An age file that holds the data key. */
  readonly wrapped: Buffer;
}

const LENGTH_BYTES = 4;

/** How a recipient (age1…) is called where its name would say too much: 16 hex digits. */
export function keyIdOf(recipient: string): string {
  return sha256(Buffer.from(recipient)).subarray(0, KEY_ID_BYTES).toString('hex');
}

/** u32 length, that many bytes (name, number of key ids, key ids, age file), SHA-256 of all that, zeros. null: too large. */
export function writeSlot({ name, keyIds, wrapped }: KeySlot): Buffer | null {
  const ids = Buffer.from(keyIds.join(''), 'hex');
  const content = Buffer.concat([name, Buffer.from([keyIds.length]), ids, wrapped]);
  const slot = Buffer.alloc(SLOT_BYTES);
  const end = LENGTH_BYTES + content.length;
  if (end + HASH_BYTES > SLOT_BYTES) return null;
  slot.writeUInt32BE(content.length);
  content.copy(slot, LENGTH_BYTES);
  sha256(slot.subarray(0, end)).copy(slot, end);
  return slot;
}

/** undefined: damaged, or torn by a power cut. The hash tells that from a wrong key; it proves nothing else. */
export function readSlot(bytes: Buffer): KeySlot | undefined {
  const end = LENGTH_BYTES + bytes.readUInt32BE(0);
  if (end + HASH_BYTES > SLOT_BYTES || end < LENGTH_BYTES + NAME_BYTES + 1) return undefined;
  if (!sha256(bytes.subarray(0, end)).equals(bytes.subarray(end, end + HASH_BYTES))) return undefined;
  const idsAt = LENGTH_BYTES + NAME_BYTES + 1;
  const count = bytes[idsAt - 1] ?? 0;
  const wrappedAt = idsAt + count * KEY_ID_BYTES;
  if (count > MAX_RECIPIENTS || wrappedAt > end) return undefined;
  return {
    name: bytes.subarray(LENGTH_BYTES, idsAt - 1),
    keyIds: Array.from({ length: count }, (_, i) =>
      bytes.toString('hex', idsAt + i * KEY_ID_BYTES, idsAt + (i + 1) * KEY_ID_BYTES),
    ),
    wrapped: bytes.subarray(wrappedAt, end),
  };
}
