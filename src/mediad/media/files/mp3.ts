/** MP3 files (MPEG 1, 2 and 2.5, layer III). The frames are found here, so that only what is one reaches the decoder (mpg123 as WebAssembly). */
import { setImmediate } from 'node:timers/promises';
import {
  isFileRate,
  joined,
  MAX_FILE_SECONDS,
  refuse,
  TOO_LONG,
  type FileRate,
  type Refused,
  type SoundFile,
} from './sound-format.ts';

export interface Mp3Frames {
  readonly kind: 'frames';
  readonly rate: FileRate;
  readonly frames: readonly Buffer[];
}

/** As many in a row make a file an MP3: two bytes that look like a beginning are in any file. */
const SURE_FRAMES = 3;
/** Ten minutes of the shortest ones. */
const MAX_FRAMES = (MAX_FILE_SECONDS * 48_000) / 1152;
/** Decoded before something else gets its turn. */
const SLICE_FRAMES = 4;

const RATES = [44_100, 48_000, 32_000];
const KBITS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBITS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** Never throws. What stands between frames (tags, damage) is left out. */
export function findMp3Frames(file: Buffer): Mp3Frames | Refused {
  const frames: Buffer[] = [];
  let rate: number | undefined;
  let inARow = 0;
  for (let at = afterTag(file); at + 4 <= file.length; ) {
    const header = readHeader(file, at);
    const isNext =
      header !== undefined &&
      (rate === undefined || header.rate === rate) &&
      at + header.bytes <= file.length &&
      // Behind a gap two bytes alone are not believed.
      (inARow > 0 || frames.length === 0 || readHeader(file, at + header.bytes)?.rate === rate);
    if (!isNext) {
      // Looked like one and was none: the first that holds begins anew.
      if (frames.length < SURE_FRAMES) {
        if (inARow > 0) at -= frames.reduce((sum, frame) => sum + frame.length, 0);
        frames.length = 0;
        rate = undefined;
      }
      inARow = 0;
      at += 1;
      continue;
    }
    rate = header.rate;
    frames.push(file.subarray(at, at + header.bytes));
    inARow += 1;
    at += header.bytes;
    if (frames.length > MAX_FRAMES * 2) return TOO_LONG;
  }
  if (frames.length < SURE_FRAMES || rate === undefined) return refuse('not an MP3 file');
  if (!isFileRate(rate)) return refuse(`${rate} Hz`);
  return { kind: 'frames', rate, frames: isInfo(frames[0]!) ? frames.slice(1) : frames };
}

/** Rejects when the decoder is not installed. */
export async function readMp3(file: Buffer): Promise<SoundFile> {
  const found = findMp3Frames(file);
  if (found.kind === 'refused') return found;
  const { MPEGDecoder } = await import('mpg123-decoder');
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const pieces: Int16Array[] = [];
    let count = 0;
    for (const [i, frame] of found.frames.entries()) {
      if (i % SLICE_FRAMES === SLICE_FRAMES - 1) await setImmediate();
      const { channelData, errors } = decoder.decodeFrame(frame);
      if (errors.length > 0) return refuse(`frame ${i} is damaged`);
      const piece = mixed(channelData);
      pieces.push(piece);
      count += piece.length;
      if (count > MAX_FILE_SECONDS * found.rate) return TOO_LONG;
    }
    return { kind: 'read', rate: found.rate, samples: joined(pieces, count) };
  } finally {
    decoder.free();
  }
}

/** ID3v2: ten bytes, the last four a length of 7 bits each. */
function afterTag(file: Buffer): number {
  if (file.length < 10 || file.toString('latin1', 0, 3) !== 'ID3') return 0;
  const length = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + (file[i]! & 0x7f), 0);
  return 10 + length;
}

function readHeader(file: Buffer, at: number): { rate: number; bytes: number } | undefined {
  const [sync = 0, kind = 0, sizes = 0] = [file[at], file[at + 1], file[at + 2]];
  const isLayerThree = (kind & 0xe6) === 0xe2;
  if (sync !== 0xff || !isLayerThree) return undefined;
  // 0: 2.5, 1: nothing, 2: MPEG 2, 3: MPEG 1
  const version = (kind >> 3) & 3;
  const full = RATES[(sizes >> 2) & 3];
  const kbits = (version === 3 ? KBITS_1 : KBITS_2)[sizes >> 4];
  if (version === 1 || full === undefined || kbits === undefined || kbits === 0) return undefined;
  const rate = version === 3 ? full : version === 2 ? full / 2 : full / 4;
  const bytes = Math.floor(((version === 3 ? 144 : 72) * kbits * 1000) / rate) + ((sizes >> 1) & 1);
  return { rate, bytes };
}

/** A first frame that is no sound but says how long the file is. */
function isInfo(frame: Buffer): boolean {
  const text = frame.toString('latin1', 0, 60);
  return text.includes('Xing') || text.includes('Info') || text.includes('VBRI');
}

function mixed(channels: readonly Float32Array[]): Int16Array {
  const [left, right = left] = channels;
  return Int16Array.from(left ?? [], (value, i) => {
    const sample = Math.round(((value + right![i]!) / 2) * 32_767);
    return Math.max(-32_768, Math.min(32_767, sample));
  });
}
