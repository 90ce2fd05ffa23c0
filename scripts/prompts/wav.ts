// 16-bit mono PCM in RIFF WAVE files.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RatePair } from './level.ts';

export type Pcm = { readonly rate: number /** -32768 … 32767 */; readonly samples: Int16Array };

const headerBytes = 44;

/** Reads a file as sox writes it: 16-bit mono PCM. Throws on any other format. */
export function readWav(path: string): Pcm {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE')
    throw new Error(`${path}: not a WAVE file`);
  let rate = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = at + 8;
    if (name === 'fmt ') {
      const [codec, channels, bits] = [
        file.readUInt16LE(body),
        file.readUInt16LE(body + 2),
        file.readUInt16LE(body + 14),
      ];
      if (codec !== 1 || channels !== 1 || bits !== 16) throw new Error(`${path}: not 16-bit mono PCM`);
      rate = file.readUInt32LE(body + 4);
    }
    if (name === 'data') {
      const bytes = file.subarray(body, body + size);
      return { rate, samples: Int16Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i)) };
    }
    at = body + size + (size % 2);
  }
  throw new Error(`${path}: no data chunk`);
}

/** Writes VOICE/8000/ID.wav and VOICE/16000/ID.wav. */
export function writePair(voiceFolder: string, id: string, pair: RatePair): void {
  for (const pcm of [pair.narrow, pair.wide]) writeWav(join(voiceFolder, String(pcm.rate), `${id}.wav`), pcm);
}

/** Writes the canonical 44-byte header and the samples. */
export function writeWav(path: string, { rate, samples }: Pcm): void {
  const file = Buffer.alloc(headerBytes + 2 * samples.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, i) => file.writeInt16LE(sample, headerBytes + 2 * i));
  writeFileSync(path, file);
}
