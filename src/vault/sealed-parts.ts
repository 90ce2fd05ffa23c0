import { createDecipheriv } from 'node:crypto';
import {
  type AudioFormat,
  FRAME_BYTES,
  HEADER_BYTES,
  isFormat,
  MARK,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENTS,
  type Metadata,
  nonce,
  OLD_SEGMENT_MS,
  SLOT_BYTES,
  SLOTS,
  TAG_BYTES,
  VERSION_LINE,
} from './container.ts';
import { type KeySlot, readSlot } from './key-slot.ts';

/** The pieces of a sealed container, for whoever opens it whole (open-sealed.ts) or while it plays (sealed-reader.ts). */

/**
 * notSealed: not such a file; unsupportedVersion: made by another version; wrongKey: none of the identities is a recipient;
 * damaged: both slots or both copies of the description are; truncated: the cut is before the first audio.
 */
export type RefusalReason = 'notSealed' | 'unsupportedVersion' | 'wrongKey' | 'damaged' | 'truncated';

const MAGIC = Buffer.from('wardline-sealed ');

/** Whoever knows a recipient can seal a file for it: that a segment opens does not mean that we wrote it. */
export function readDescription(
  plain: Buffer,
): { format: AudioFormat; metadata: Metadata; segmentMs: number } | undefined {
  let said: { format?: unknown; metadata?: unknown; segmentMs?: unknown } | null;
  try {
    said = JSON.parse(plain.toString('utf8')) as typeof said;
  } catch {
    return undefined;
  }
  const { format, metadata, segmentMs = OLD_SEGMENT_MS } = said ?? {};
  if (!isFormat(format) || !isMetadata(metadata) || !isSegmentMs(segmentMs)) return undefined;
  return { format, metadata, segmentMs };
}

function isSegmentMs(given: unknown): given is number {
  return Number.isInteger(given) && Number(given) > 0 && Number(given) <= OLD_SEGMENT_MS;
}

function isMetadata(given: unknown): given is Metadata {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  return Object.values(given).every((value) => value === null || typeof value !== 'object');
}

export function openSegmentAt(bytes: Buffer, at: number, key: Buffer, name: Buffer) {
  const frame = readFrame(bytes, at);
  if (frame === undefined) return undefined;
  const body = bytes.subarray(at + FRAME_BYTES, at + FRAME_BYTES + frame.bodyBytes);
  if (body.length < frame.bodyBytes) return undefined;
  for (const isLast of [false, true]) {
    const plain = decrypt(body, key, nonce(frame.number, isLast), name);
    if (plain !== undefined) return { number: frame.number, plain, isLast, sizeBytes: FRAME_BYTES + body.length };
  }
  return undefined;
}

export function readFrame(bytes: Buffer, at: number): { number: number; bodyBytes: number } | undefined {
  if (bytes.length - at < FRAME_BYTES || bytes.compare(MARK, 0, MARK.length, at, at + MARK.length) !== 0)
    return undefined;
  const bodyBytes = bytes.readUInt32BE(at + 8);
  if (bodyBytes < TAG_BYTES || bodyBytes > MAX_SEGMENT_BYTES + TAG_BYTES) return undefined;
  const number = bytes.readUInt32BE(at + 4);
  return number < MAX_SEGMENTS ? { number, bodyBytes } : undefined;
}

function decrypt(body: Buffer, key: Buffer, iv: Buffer, aad: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  const plain = decipher.update(body.subarray(0, -TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    // Authentication failed: the only way node:crypto has to say it.
    return undefined;
  }
}

export type Header =
  | {
      readonly kind: 'read';
      readonly name: Buffer;
      /** Those that are whole, at least one. */
      readonly slots: readonly KeySlot[];
      /** Each in its place; undefined for one that is damaged. */
      readonly places: readonly (KeySlot | undefined)[];
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/** That a header is authentic is known only when a segment opens. */
export function readHeader(bytes: Buffer): Header {
  const magic = bytes.subarray(0, MAGIC.length);
  if (!magic.equals(MAGIC.subarray(0, magic.length)) || magic.length === 0) return refuse('notSealed');
  const line = bytes.subarray(0, VERSION_LINE.length);
  if (!line.equals(VERSION_LINE.subarray(0, line.length))) return refuse('unsupportedVersion');
  if (bytes.length < HEADER_BYTES) return refuse('truncated');
  const places = Array.from({ length: SLOTS }, (_, i) => {
    const at = VERSION_LINE.length + i * SLOT_BYTES;
    return readSlot(bytes.subarray(at, at + SLOT_BYTES));
  });
  const slots = places.filter((slot) => slot !== undefined);
  const [first] = slots;
  if (first === undefined) return refuse('damaged');
  return { kind: 'read', name: first.name, slots, places };
}

export function refuse(reason: RefusalReason): { readonly kind: 'refused'; readonly reason: RefusalReason } {
  return { kind: 'refused', reason };
}
