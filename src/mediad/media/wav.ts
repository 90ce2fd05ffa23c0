/** Prompts: WAV files, PCM 16 bits, mono, 8, 16 or 48 kHz. */
import type { AudioSource } from './audio-source.ts';
import type { AudioRate } from './codec/codec-types.ts';
import { Resampler } from './codec/resample.ts';

export interface WavAudio {
  readonly rate: AudioRate;
  readonly samples: Int16Array;
}

export type WavResult =
  | { readonly kind: 'read'; readonly audio: WavAudio }
  /** 48 kHz, which nobody here hears. */
  | { readonly kind: 'fullBand'; readonly samples: Int16Array }
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
      const samples = littleEndian(body);
      if (rate === 48_000) return { kind: 'fullBand', samples };
      if (rate !== 8000 && rate !== 16_000) return refuse(`${rate ?? 'no'} Hz; prompts are 8000, 16000 or 48000 Hz`);
      return { kind: 'read', audio: { rate, samples } };
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

/** Plays shared audio from `offsetSamples` (at 8 kHz), once or over and over. */
export class WavSource implements AudioSource {
  readonly #audio: WavAudio;
  readonly #name: string;
  readonly #isEndless: boolean;
  readonly #resampler: Resampler;
  /** In the recording. */
  #position: number;

  constructor(
    audio: WavAudio,
    name: string,
    options: { offsetSamples?: number; isEndless?: boolean } = {},
    rate: AudioRate = 8000,
  ) {
    this.#audio = audio;
    this.#name = name;
    this.#isEndless = options.isEndless === true && audio.samples.length > 1;
    this.#resampler = new Resampler(audio.rate, rate);
    this.#position = ((options.offsetSamples ?? 0) * audio.rate) / 8000;
  }

  next(frame: Int16Array): number {
    let filled = this.#some(frame);
    while (this.#isEndless && filled < frame.length) {
      this.#position = 0;
      filled += this.#some(frame.subarray(filled));
    }
    return filled;
  }

  describe(): string {
    const { from, to } = this.#resampler;
    return from === to ? `wav(${this.#name})` : `wav(${this.#name}) -> resample(${from / 1000}k to ${to / 1000}k)`;
  }

  #some(frame: Int16Array): number {
    const { from, to } = this.#resampler;
    const count = Math.ceil((frame.length * from) / to);
    const part = this.#audio.samples.subarray(this.#position, this.#position + count);
    this.#position += part.length;
    const samples = this.#resampler.process(part).subarray(0, frame.length);
    frame.set(samples);
    return samples.length;
  }
}
