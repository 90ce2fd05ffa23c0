/** Opus in Ogg (RFC 3533, RFC 7845): one stream, mono or stereo. Decoded at 16 kHz, mono. */
import { setImmediate } from 'node:timers/promises';
import { joined, MAX_FILE_SECONDS, refuse, TOO_LONG, type Refused, type SoundFile } from './sound-format.ts';

export interface OpusPackets {
  readonly kind: 'packets';
  readonly packets: readonly Buffer[];
  /** Samples at 48 kHz that are not played, at the begin. */
  readonly preSkip: number;
  /** Samples at 48 kHz with them; undefined if the file does not say. */
  readonly length: number | undefined;
}

const RATE = 16_000;
/** RFC 7845 5.1: positions are counted at 48 kHz, whatever was recorded. */
const PER_SAMPLE = 3;
/** Ten minutes of the shortest, 2.5 ms. */
const MAX_PACKETS = MAX_FILE_SECONDS * 400;
/** RFC 7587: no packet is longer than 120 ms, and none has more than 1275 bytes a frame, 48 frames. */
const MAX_PACKET_MS = 120;
const MAX_PACKET_BYTES = 61_440;
const SLICE_PACKETS = 8;
const PAGE_HEADER = 27;
const CONTINUED = 1;

export function isOgg(file: Buffer): boolean {
  return file.toString('latin1', 0, 4) === 'OggS';
}

/** Never throws. Ends where the pages end. */
export function findOpusPackets(file: Buffer): OpusPackets | Refused {
  const packets: Buffer[] = [];
  let serial: number | undefined;
  let length: number | undefined;
  let begun: Buffer[] = [];
  for (let at = 0; at + PAGE_HEADER <= file.length && file.toString('latin1', at, at + 4) === 'OggS'; ) {
    const segments = file.subarray(at + PAGE_HEADER, at + PAGE_HEADER + file[at + 26]!);
    const body = at + PAGE_HEADER + file[at + 26]!;
    const page = { serial: file.readUInt32LE(at + 14), position: file.readBigInt64LE(at + 6), flags: file[at + 5]! };
    at = body + segments.reduce((sum, size) => sum + size, 0);
    if (at > file.length) break;
    serial ??= page.serial;
    if (page.serial !== serial) continue;
    if ((page.flags & CONTINUED) === 0) begun = [];
    let from = body;
    for (const size of segments) {
      begun.push(file.subarray(from, from + size));
      from += size;
      if (size === 255) continue;
      packets.push(Buffer.concat(begun));
      begun = [];
      if (packets.length > MAX_PACKETS) return TOO_LONG;
    }
    if (begun.length * 255 > MAX_PACKET_BYTES) return refuse('a packet that is too large for Opus');
    if (page.position > 0n) length = Number(page.position);
  }
  const [head, tags, ...rest] = packets;
  if (head?.toString('latin1', 0, 8) !== 'OpusHead' || head.length < 19) return refuse('not an Opus file');
  if (head[8]! >> 4 !== 0) return refuse(`version ${head[8]} of Opus in Ogg is not known`);
  if (head[18] !== 0) return refuse('more than two channels');
  if (tags?.toString('latin1', 0, 8) !== 'OpusTags') return refuse('an Opus file without its second header');
  return { kind: 'packets', packets: rest, preSkip: head.readUInt16LE(10), length };
}

/** Rejects when the decoder is not installed. */
export async function readOggOpus(file: Buffer): Promise<SoundFile> {
  const found = findOpusPackets(file);
  if (found.kind === 'refused') return found;
  const { createDecoder } = await import('libopus-wasm');
  const decoder = await createDecoder({ sampleRate: RATE, channels: 1, maxFrameSize: (RATE / 1000) * MAX_PACKET_MS });
  try {
    const pieces: Int16Array[] = [];
    let count = 0;
    let skip = Math.round(found.preSkip / PER_SAMPLE);
    for (const [i, packet] of found.packets.entries()) {
      if (i % SLICE_PACKETS === SLICE_PACKETS - 1) await setImmediate();
      const samples = decoded(() => decoder.decode(packet));
      if (samples === undefined) return refuse(`packet ${i} is damaged`);
      const piece = samples.slice(Math.min(skip, samples.length));
      skip -= samples.length - piece.length;
      pieces.push(piece);
      count += piece.length;
      if (count > MAX_FILE_SECONDS * RATE) return TOO_LONG;
    }
    // The last packet is longer than what was recorded.
    const length = found.length === undefined ? count : Math.floor((found.length - found.preSkip) / PER_SAMPLE);
    return { kind: 'read', rate: RATE, samples: joined(pieces, Math.max(0, Math.min(count, length))) };
  } finally {
    decoder.free();
  }
}

function decoded(decode: () => Int16Array): Int16Array | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
