/** Prompts: WAV files, PCM 16 bits, mono, 8 or 16 kHz. */
import type { AudioSource } from './audio-source.ts';

export interface WavAudio {
  readonly rate: 8000 | 16000;
  readonly samples: Int16Array;
}

export type WavResult =
  | { readonly kind: 'read'; readonly audio: WavAudio }
  | { readonly kind: 'refused'; readonly reason: string };

const PCM = 1;
const EXTENSIBLE = 0xfffe;

/** Never throws. A data chunk that claims more than the file holds is read as far as it goes. */
export function readWav(file: Buffer): WavResult {
  if (file.length < 12 || file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    return refuse('not a WAV file');
  }
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
      if (rate !== 8000 && rate !== 16_000) return refuse(`${rate ?? 'no'} Hz; prompts are 8000 or 16000 Hz`);
      return { kind: 'read', audio: { rate, samples: littleEndian(body) } };
    }
    at += 8 + size + (size % 2);
  }
  return refuse('no data chunk');
}

function refuse(reason: string): WavResult {
  return { kind: 'refused', reason };
}

function littleEndian(bytes: Buffer): Int16Array {
  const samples = new Int16Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(i * 2);
  return samples;
}

/** Plays shared audio from `offsetSamples` (at 8 kHz), once or over and over; 16 kHz is halved on the way. */
export class WavSource implements AudioSource {
  readonly #audio: WavAudio;
  readonly #name: string;
  readonly #isEndless: boolean;
  #position: number;

  constructor(audio: WavAudio, name: string, options: { offsetSamples?: number; isEndless?: boolean } = {}) {
    this.#audio = audio;
    this.#name = name;
    this.#isEndless = options.isEndless === true && audio.samples.length > 1;
    this.#position = options.offsetSamples ?? 0;
  }

  next(frame: Int16Array): number {
    let filled = this.#some(frame);
    while (this.#isEndless && filled < frame.length) {
      this.#position = 0;
      filled += this.#some(frame.subarray(filled));
    }
    return filled;
  }

  #some(frame: Int16Array): number {
    return this.#audio.rate === 8000 ? this.#copy(frame) : this.#halve(frame);
  }

  describe(): string {
    return this.#audio.rate === 8000 ? `wav(${this.#name})` : `wav(${this.#name}) -> resample(16k to 8k)`;
  }

  #copy(frame: Int16Array): number {
    const part = this.#audio.samples.subarray(this.#position, this.#position + frame.length);
    frame.set(part);
    this.#position += part.length;
    return part.length;
  }

  #halve(frame: Int16Array): number {
    const { samples } = this.#audio;
    const count = Math.max(0, Math.min(frame.length, (samples.length >> 1) - this.#position));
    for (let i = 0; i < count; i++) {
      const centre = (this.#position + i) * 2;
      let sum = 0;
      for (let tap = 0; tap < LOW_PASS.length; tap++) {
        sum += LOW_PASS[tap]! * (samples[centre + tap - LOW_PASS_CENTRE] ?? 0);
      }
      frame[i] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
    }
    this.#position += count;
    return count;
  }
}

const LOW_PASS_CENTRE = 23;
/** 47 taps, Blackman window, -6 dB at 3.7 kHz of 16 kHz: what would fold back into speech is 60 dB down. */
const LOW_PASS = lowPass(2 * LOW_PASS_CENTRE + 1, 3700 / 16_000);

function lowPass(taps: number, cutoff: number): Float64Array {
  const centre = (taps - 1) / 2;
  const raw = Float64Array.from({ length: taps }, (_, i) => {
    const x = i - centre;
    const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
    const turn = (2 * Math.PI * i) / (taps - 1);
    return sinc * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
  });
  const gain = raw.reduce((sum, tap) => sum + tap, 0);
  return raw.map((tap) => tap / gain);
}
