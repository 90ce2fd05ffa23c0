import { createDecipheriv } from 'node:crypto';
import {
  type AudioFormat,
  bytesPerSecond,
  DESCRIPTION_COPIES,
  FRAME_BYTES,
  HASH_BYTES,
  isFormat,
  MARK,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENTS,
  type Metadata,
  nonce,
  sha256,
  TAG_BYTES,
  VERSION_LINE,
} from './container.ts';

export type OpenResult =
  | {
      readonly kind: 'opened';
      readonly format: AudioFormat;
      readonly metadata: Metadata;
      /** All audio that could be opened, in order; lost segments are left out. */
      readonly audio: Uint8Array;
      /** `truncated`: the writer never finished, or the end was cut off. */
      readonly ending: 'complete' | 'truncated';
      /** Numbers of segments that are missing or do not authenticate; [] for an unharmed file. */
      readonly damaged: readonly number[];
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/**
 * notSealed: not such a file; unsupportedVersion: made by a newer version; wrongKey: none of the identities is a recipient;
 * damaged: the header or both copies of the description are; truncated: the cut is before the first audio.
 */
export type RefusalReason = 'notSealed' | 'unsupportedVersion' | 'wrongKey' | 'damaged' | 'truncated';

const MAGIC = Buffer.from('wardline-sealed ');
/** An age header of 16 recipients takes about 2 kB. */
const MAX_WRAPPED_BYTES = 65_536;

/**
 * Opens a whole container held in memory. Never throws on bad input. `identities` are age identities (AGE-SECRET-KEY-1…); one of them
 * must belong to a recipient.
 */
export async function openSealed(file: Uint8Array, identities: readonly string[]): Promise<OpenResult> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const header = readHeader(bytes);
  if (header.kind === 'refused') return header;
  const key = await unwrapKey(header.wrapped, identities);
  if (key === undefined) return refuse('wrongKey');
  try {
    return describe(readSegments(bytes.subarray(header.sizeBytes), key, header.hash));
  } finally {
    key.fill(0);
  }
}

/** How long the sound of an opened container lasts. */
export function soundMs({ format, audio }: { readonly format: AudioFormat; readonly audio: Uint8Array }): number {
  return Math.round((audio.length * 1000) / bytesPerSecond(format));
}

/** The first description that opened, then all audio. */
function describe(found: FoundSegments): OpenResult {
  const isDescription = (segment: { number: number }) => segment.number < DESCRIPTION_COPIES;
  const description = found.segments.find(isDescription);
  if (description === undefined) return refuse(found.damaged.length === 0 ? 'truncated' : 'damaged');
  const described = readDescription(description.plain);
  if (described === undefined) return refuse('damaged');
  return {
    kind: 'opened',
    ...described,
    audio: Buffer.concat(found.segments.filter((s) => !isDescription(s)).map((s) => s.plain)),
    ending: found.isComplete ? 'complete' : 'truncated',
    damaged: found.damaged,
  };
}

/** Whoever knows a recipient can seal a file for it: that a segment opens does not mean that we wrote it. */
function readDescription(plain: Buffer): { format: AudioFormat; metadata: Metadata } | undefined {
  let said: { format?: unknown; metadata?: unknown } | null;
  try {
    said = JSON.parse(plain.toString('utf8')) as typeof said;
  } catch {
    return undefined;
  }
  const { format, metadata } = said ?? {};
  return isFormat(format) && isMetadata(metadata) ? { format, metadata } : undefined;
}

function isMetadata(given: unknown): given is Metadata {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  return Object.values(given).every((value) => value === null || typeof value !== 'object');
}

interface FoundSegments {
  readonly segments: readonly { number: number; plain: Buffer }[];
  readonly damaged: readonly number[];
  readonly isComplete: boolean;
}

function readSegments(bytes: Buffer, key: Buffer, headerHash: Buffer): FoundSegments {
  const segments: { number: number; plain: Buffer }[] = [];
  const damaged: number[] = [];
  let expected = 0;
  let isComplete = false;
  for (let at = 0; at < bytes.length && !isComplete; ) {
    const segment = openSegmentAt(bytes, at, key, headerHash);
    if (segment === undefined || segment.number < expected) {
      // Not a whole segment here: look for the next mark. At the end of a cut file there is none.
      const next = bytes.indexOf(MARK, at + 1);
      if (next === -1) break;
      at = next;
      continue;
    }
    for (; expected < segment.number; expected++) damaged.push(expected);
    segments.push({ number: segment.number, plain: segment.plain });
    isComplete = segment.isLast;
    expected = segment.number + 1;
    at += segment.sizeBytes;
  }
  // A whole segment at the end that does not open was harmed, not cut.
  if (!isComplete && endsWithWholeSegment(bytes, expected)) damaged.push(expected);
  return { segments, damaged, isComplete };
}

function openSegmentAt(bytes: Buffer, at: number, key: Buffer, headerHash: Buffer) {
  const frame = readFrame(bytes, at);
  if (frame === undefined) return undefined;
  const body = bytes.subarray(at + FRAME_BYTES, at + FRAME_BYTES + frame.bodyBytes);
  if (body.length < frame.bodyBytes) return undefined;
  for (const isLast of [false, true]) {
    const plain = decrypt(body, key, nonce(frame.number, isLast), headerHash);
    if (plain !== undefined) return { number: frame.number, plain, isLast, sizeBytes: FRAME_BYTES + body.length };
  }
  return undefined;
}

function endsWithWholeSegment(bytes: Buffer, number: number): boolean {
  for (let at = bytes.lastIndexOf(MARK); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(MARK, at - 1)) {
    const frame = readFrame(bytes, at);
    if (frame?.number === number) return at + FRAME_BYTES + frame.bodyBytes <= bytes.length;
  }
  return false;
}

function readFrame(bytes: Buffer, at: number): { number: number; bodyBytes: number } | undefined {
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

type Header =
  | { readonly kind: 'read'; readonly wrapped: Buffer; readonly hash: Buffer; readonly sizeBytes: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/** The hash tells a damaged header from a wrong key; that it is authentic is known only when a segment opens. */
function readHeader(bytes: Buffer): Header {
  const magic = bytes.subarray(0, MAGIC.length);
  if (!magic.equals(MAGIC.subarray(0, magic.length)) || magic.length === 0) return refuse('notSealed');
  const line = bytes.subarray(0, VERSION_LINE.length);
  if (!line.equals(VERSION_LINE.subarray(0, line.length))) return refuse('unsupportedVersion');
  const lengthAt = VERSION_LINE.length;
  if (bytes.length < lengthAt + 4) return refuse('truncated');
  const wrappedBytes = bytes.readUInt32BE(lengthAt);
  if (wrappedBytes > MAX_WRAPPED_BYTES) return refuse('damaged');
  const hashAt = lengthAt + 4 + wrappedBytes;
  if (bytes.length < hashAt + HASH_BYTES) return refuse('truncated');
  const hash = bytes.subarray(hashAt, hashAt + HASH_BYTES);
  if (!sha256(bytes.subarray(0, hashAt)).equals(hash)) return refuse('damaged');
  return { kind: 'read', wrapped: bytes.subarray(lengthAt + 4, hashAt), hash, sizeBytes: hashAt + HASH_BYTES };
}

async function unwrapKey(wrapped: Buffer, identities: readonly string[]): Promise<Buffer | undefined> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
    const key = Buffer.from(await decrypter.decrypt(wrapped));
    return key.length === 32 ? key : undefined;
  } catch {
    // The header's hash was right, so what remains is that no identity fits.
    return undefined;
  }
}

function refuse(reason: RefusalReason): { readonly kind: 'refused'; readonly reason: RefusalReason } {
  return { kind: 'refused', reason };
}
