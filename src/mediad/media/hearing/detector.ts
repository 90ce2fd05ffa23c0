/** What can be listened for on a leg. Each detector is fed 20 ms of sound at 8 kHz after the other, so a test runs it without a clock. */

export type ListenWish =
  | { readonly kind: 'dtmf' }
  /** All frequencies at once, as often as `hits`. */
  | { readonly kind: 'tone'; readonly name: string; readonly frequenciesHz: readonly number[]; readonly hits: number }
  /** Busy, reorder, special information, fax. */
  | { readonly kind: 'progress' }
  /** Once, when so many frames in a row are silent, or loud. `afterLoud`: not before so many were loud. */
  | {
      readonly kind: 'level';
      readonly wanted: 'silence' | 'audio';
      /** Mean absolute amplitude. */
      readonly threshold: number;
      readonly frames: number;
      readonly afterLoud: number;
    }
  /** Once: whether a human or a mailbox seems to have answered. */
  | { readonly kind: 'answer' };

export type AnswerHint = 'human' | 'mailbox' | 'unsure';

export type HeardSound =
  | { readonly kind: 'digit'; readonly digit: string; readonly durationMs: number }
  | { readonly kind: 'tone'; readonly name: string }
  | { readonly kind: 'level' }
  | { readonly kind: 'answer'; readonly hint: AnswerHint; readonly speechMs: number; readonly pauseMs: number };

export interface Detector {
  /** 160 samples. */
  push(frame: Int16Array): HeardSound | undefined;
}

export const DETECTOR_RATE = 8000;
export const DETECTOR_FRAME = 160;
export const DETECTOR_FRAME_MS = 20;

export function meanLevel(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += Math.abs(sample);
  return samples.length === 0 ? 0 : sum / samples.length;
}

/** Sum of squares. */
export function energyOf(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum;
}

/** Goertzel: the share of a block's energy that lies at one frequency, 0 to 1. `energy`: of the block, above 0. */
export function shareAt(samples: Int16Array, hz: number, energy: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / DETECTOR_RATE);
  let before = 0;
  let last = 0;
  for (const sample of samples) {
    const now = sample + coefficient * last - before;
    before = last;
    last = now;
  }
  const power = last * last + before * before - coefficient * last * before;
  return (2 * power) / (samples.length * energy);
}
