import { type FileHandle, open } from 'node:fs/promises';
import { HEADER_BYTES, SLOT_BYTES, VERSION_LINE } from './container.ts';
import { keyIdOf, type KeySlot, writeSlot } from './key-slot.ts';
import { readHeader, type RefusalReason } from './sealed-parts.ts';
import { type Identities, unwrapKey, wrapKey } from './wrap-key.ts';

export type Rewrapped =
  /** `keyWasUsed`: no, where an interrupted re-wrapping was only finished. */
  | { readonly kind: 'rewrapped'; readonly keyWasUsed: boolean }
  | { readonly kind: 'asItWas' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/**
 * Wraps the data key of a sealed file to other recipients. Its sound is not read, written or moved: it may be played or still
 * be recorded meanwhile. One slot after the other is written and synced, so whatever dies on the way, one of the two is
 * whole, and the next call does the rest. Rejects with Node's error, or SealError for bad recipients.
 */
export async function rewrapSealed(
  path: string,
  identities: Identities,
  recipients: readonly string[],
): Promise<Rewrapped> {
  const file = await open(path, 'r+');
  try {
    const header = await headerOf(file);
    if (header.kind === 'refused') return header;
    const wanted = recipients.map(keyIdOf).toSorted().join();
    const isRight = (slot: KeySlot | undefined) => slot !== undefined && slot.keyIds.toSorted().join() === wanted;
    if (header.places.every(isRight)) return { kind: 'asItWas' };
    const done = header.places.find(isRight);
    const slot = done === undefined ? await anew(header, identities, recipients) : writeSlot(done);
    if (slot === null) return { kind: 'refused', reason: 'wrongKey' };
    for (const place of orderOf(header.places)) {
      if (done !== undefined && header.places[place] === done) continue;
      await file.write(slot, 0, SLOT_BYTES, VERSION_LINE.length + place * SLOT_BYTES);
      await file.sync();
    }
    return { kind: 'rewrapped', keyWasUsed: done === undefined };
  } finally {
    await file.close();
  }
}

/** The ids of all keys that can open a sealed file, also of half a re-wrapping. Rejects with Node's error. */
export async function keyIdsOf(path: string): Promise<readonly string[] | RefusalReason> {
  const file = await open(path, 'r');
  try {
    const header = await headerOf(file);
    if (header.kind === 'refused') return header.reason;
    return [...new Set(header.slots.flatMap(({ keyIds }) => keyIds))];
  } finally {
    await file.close();
  }
}

async function headerOf(file: FileHandle) {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  return readHeader(buffer.subarray(0, bytesRead));
}

async function anew(
  { name, slots }: { readonly name: Buffer; readonly slots: readonly KeySlot[] },
  identities: Identities,
  recipients: readonly string[],
): Promise<Buffer | null> {
  const key = await unwrapKey(slots, identities);
  if (key === undefined) return null;
  try {
    return await wrapKey(key, name, recipients);
  } finally {
    key.fill(0);
  }
}

/** A damaged slot is written first: until it is whole, the other one is all there is. */
function orderOf(places: readonly (KeySlot | undefined)[]): readonly number[] {
  return places
    .map((_, place) => place)
    .toSorted((a, b) => Number(places[a] !== undefined) - Number(places[b] !== undefined));
}
