/**
 * The sealed container: how recorded audio lies on a disk. docs/reference/sealed-container.md is its specification;
 * this file has its words and numbers, sealed-writer.ts writes it, open-sealed.ts reads it.
 *
 *   header    "wardline-sealed 1\n"  u32 length  age file holding the 32-byte data key  SHA-256 of all that
 *   segments  "WSEG"  u32 number  u32 length  AES-256-GCM ciphertext and tag        at most one second of audio each
 *
 * The nonce of a segment is its number and whether it is the last one (the STREAM construction), the additional data is
 * the header's hash. So segments cannot be reordered, swapped between files or cut off unnoticed, a cut file opens up to its last whole
 * segment, and a damaged segment costs only itself: the next one is found by its mark.
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

export const VERSION_LINE = Buffer.from('wardline-sealed 1\n');
export const MARK = Buffer.from('WSEG');
export const FRAME_BYTES = 12;
export const TAG_BYTES = 16;
export const HASH_BYTES = 32;
/** One second of 48 kHz stereo L16 is 192 000 bytes. */
export const MAX_SEGMENT_BYTES = 262_144;
/** A day of audio. The numbers between two segments are listed as lost ones, so they must have an end. */
export const MAX_SEGMENTS = 86_400 + 2;
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

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
