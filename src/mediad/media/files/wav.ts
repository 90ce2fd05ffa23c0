/** WAV files: PCM 16 bits, mono. */
import { isFileRate, refuse, type SoundFile } from './sound-format.ts';

const PCM = 1;
const EXTENSIBLE = 0xfffe;

export function isWav(file: Buffer): boolean {
  return file.length >= 12 && file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WAVE';
}

/** Never throws. A data chunk that claims more than the file holds is read as far as it goes. */
export function readWav(file: Buffer): SoundFile {
  if (!isWav(file)) return refuse('not a WAV file');
  let rate: number | undefined;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, at + 8 + size);
    if (id === 'fmt ') {
      if (body.length < 16) return refuse('broken format chunk');
      const encoding = body.readUInt16LE(0);
      const channels = body.readUInt16LE(2);
      rate = body.readUInt32LE(4);
      if (encoding !== PCM && encoding !== EXTENSIBLE) return refuse(`encoding ${encoding} is not PCM`);
      if (channels !== 1) return refuse(`${channels} channels; prompts are mono`);
      if (body.readUInt16LE(14) !== 16) return refuse('not 16 bits a sample');
    }
    if (id === 'data') {
      if (rate === undefined || !isFileRate(rate))
        return refuse(`${rate ?? 'no'} Hz; common are 8000, 16000 or 48000 Hz`);
      return { kind: 'read', rate, samples: littleEndian(body) };
    }
    at += 8 + size + (size % 2);
  }
  return refuse('no data chunk');
}

function littleEndian(bytes: Buffer): Int16Array {
  const samples = new Int16Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(i * 2);
  return samples;
}
