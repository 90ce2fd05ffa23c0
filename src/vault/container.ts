/**
 * The sealed container: how recorded audio lies on a disk. docs/reference/sealed-container.md is its specification;
 * this file has its words and numbers, sealed-writer.ts writes it, open-sealed.ts reads it.
 *
 *   header    "wardline-sealed 2\n", then twice the same slot of 4096 bytes: who holds the data key, and an age file with it
 *   segments  "WSEG"  u32 number  u32 length  AES-256-GCM ciphertext and tag        three quarters of a second of audio each
 *
 * The nonce of a segment is its number and whether it is the last one (the STREAM construction), the additional data is a
 * random name of the container. So segments cannot be reordered, swapped between files or cut off unnoticed, a cut file opens up to its
 * last whole segment, and a damaged segment costs only itself: the next one is found by its mark. Segments depend on nothing that
 * changes when the key is wrapped to others (rewrap.ts), and of the two slots one is whole at every moment.
 */
import { createHash } from 'node:crypto';

export type AudioEncoding = 'PCMU' | 'PCMA' | 'L16';

/** L16 is signed, 16 bits, little-endian (as in a WAV file); several channels are interleaved sample by sample. */
export interface AudioFormat {
  readonly encoding: AudioEncoding;
  readonly rate: number;
  readonly channels: number;
}

export type Metadata = Readonly<Record<string, string | number | boolean | null>>;

export const VERSION_LINE = Buffer.from('wardline-sealed 2\n');
export const SLOTS = 2;
/** Sixteen recipients take about 2 kB. */
export const SLOT_BYTES = 4096;
export const HEADER_BYTES = VERSION_LINE.length + SLOTS * SLOT_BYTES;
export const NAME_BYTES = 32;
export const KEY_ID_BYTES = 8;
export const MAX_RECIPIENTS = 16;
export const MARK = Buffer.from('WSEG');
export const FRAME_BYTES = 12;
export const TAG_BYTES = 16;
export const HASH_BYTES = 32;
/** One second of 48 kHz stereo L16 is 192 000 bytes. */
export const MAX_SEGMENT_BYTES = 262_144;
/**
 * Of sound in a segment. A kill costs what is not sealed yet and what is on its way to the disk: at most a second, if the disk
 * takes a segment within the rest of it. Shorter ones would cost more than one part in two hundred of the file.
 */
export const SEGMENT_MS = 750;
/** What files have that do not say it. */
export const OLD_SEGMENT_MS = 1000;
/** A day of audio. The numbers between two segments are listed as lost ones, so they must have an end. */
export const MAX_SEGMENTS = 86_400_000 / SEGMENT_MS + 2;
/** The description is written twice, so that one damaged place costs nothing. */
export const DESCRIPTION_COPIES = 2;

/** A second of it must fit into a segment. */
export function isFormat(given: unknown): given is AudioFormat {
  if (typeof given !== 'object' || given === null) return false;
  const { encoding, rate, channels } = given as Partial<AudioFormat>;
  if (encoding !== 'PCMU' && encoding !== 'PCMA' && encoding !== 'L16') return false;
  if (!Number.isInteger(rate) || !Number.isInteger(channels) || Number(rate) < 1 || Number(channels) < 1) return false;
  return bytesPerSecond(given as AudioFormat) <= MAX_SEGMENT_BYTES;
}

/** 7 zero bytes, the number (32 bits), 1 for the last segment: no nonce is ever used twice with one data key. */
export function nonce(number: number, isLast: boolean): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(number, 7);
  iv[11] = isLast ? 1 : 0;
  return iv;
}

export function bytesPerSecond(format: AudioFormat): number {
  return format.rate * format.channels * (format.encoding === 'L16' ? 2 : 1);
}

/** Whole samples, whatever the rate. */
export function segmentBytes(format: AudioFormat, segmentMs: number): number {
  const sampleBytes = format.channels * (format.encoding === 'L16' ? 2 : 1);
  return Math.max(1, Math.floor((format.rate * segmentMs) / 1000)) * sampleBytes;
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
