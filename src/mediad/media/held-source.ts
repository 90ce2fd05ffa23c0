import type { AudioSource } from './audio-source.ts';
import type { AudioRate } from './codec/codec-types.ts';
import { Resampler } from './codec/resample.ts';
import type { HeldSound } from './files/sound-file.ts';

/** Plays shared sound from `offsetSamples` (at 8 kHz), once or over and over. */
export class HeldSource implements AudioSource {
  readonly #sound: HeldSound;
  readonly #name: string;
  readonly #isEndless: boolean;
  readonly #resampler: Resampler;
  /** In the recording. */
  #position: number;

  constructor(
    sound: HeldSound,
    name: string,
    options: { offsetSamples?: number; isEndless?: boolean } = {},
    rate: AudioRate = 8000,
  ) {
    this.#sound = sound;
    this.#name = name;
    this.#isEndless = options.isEndless === true && sound.samples.length > 1;
    this.#resampler = new Resampler(sound.rate, rate);
    this.#position = ((options.offsetSamples ?? 0) * sound.rate) / 8000;
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
    return from === to ? `file(${this.#name})` : `file(${this.#name}) -> resample(${from / 1000}k to ${to / 1000}k)`;
  }

  #some(frame: Int16Array): number {
    const { from, to } = this.#resampler;
    const count = Math.ceil((frame.length * from) / to);
    const part = this.#sound.samples.subarray(this.#position, this.#position + count);
    this.#position += part.length;
    const samples = this.#resampler.process(part).subarray(0, frame.length);
    frame.set(samples);
    return samples.length;
  }
}
