import type { AudioRate } from './codec/codec-types.ts';
import { Resampler } from './codec/resample.ts';

/** Something that can be heard: linear audio at the rate for which it was opened, pulled frame by frame. */
export interface AudioSource {
  /** Fills the frame from its start; returns the samples written, fewer than its length only at the end. */
  next(frame: Int16Array): number;
  describe(): string;
}

export class SilenceSource implements AudioSource {
  #left: number;

  /** Infinity for endless silence. */
  constructor(durationMs: number, rate: AudioRate = 8000) {
    this.#left = (durationMs * rate) / 1000;
  }

  next(frame: Int16Array): number {
    const count = Math.min(frame.length, this.#left);
    frame.fill(0, 0, count);
    this.#left -= count;
    return count;
  }

  describe(): string {
    return 'silence';
  }
}

/** What only comes at 8 kHz, in wide band. Frames have an even length. */
class WidenedSource implements AudioSource {
  readonly #source: AudioSource;
  readonly #resampler = new Resampler(8000, 16_000);

  constructor(source: AudioSource) {
    this.#source = source;
  }

  next(frame: Int16Array): number {
    const narrow = new Int16Array(frame.length >> 1);
    const count = this.#source.next(narrow);
    frame.set(this.#resampler.process(narrow.subarray(0, count)));
    return count === narrow.length ? frame.length : count * 2;
  }

  describe(): string {
    return `${this.#source.describe()} -> resample(8k to 16k)`;
  }
}

export function widened(source: AudioSource, rate: AudioRate): AudioSource {
  return rate === 8000 ? source : new WidenedSource(source);
}
