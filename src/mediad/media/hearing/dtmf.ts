/**
 * Digits in the sound itself, for phones that send nothing better (ITU-T Q.23, Q.24). Two blocks in a row make a press, two without it end it.
 *
 * Speech has the same frequencies: it is told apart by what else it has. Nearly all of the energy must lie in one tone of each group, and neither may be
 * much louder than the other.
 */
import { DETECTOR_RATE, energyOf, shareAt, type Detector, type HeardSound } from './detector.ts';

const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const KEYS = ['123A', '456B', '789C', '*0#D'];

/** 12.75 ms: a press of 40 ms holds at least two whole ones. */
const BLOCK = 102;
const BLOCK_MS = (BLOCK * 1000) / DETECTOR_RATE;
/** -36 dBm0 or so. */
const LEAST_ENERGY = BLOCK * 150 * 150;
const LEAST_SHARE = 0.82;
/** The next best tone of the group, in dB below. */
const RATIO = 10 ** 0.63;
/** The higher tone may be 4 dB louder, the lower one 8 dB (Q.24). */
const REVERSE_TWIST = 10 ** 0.4;
const TWIST = 10 ** 0.8;
const BEGIN_BLOCKS = 2;
const END_BLOCKS = 2;

export class DtmfDetector implements Detector {
  readonly #block = new Int16Array(BLOCK);
  #filled = 0;
  #candidate = '';
  #same = 0;
  #other = 0;
  #digit = '';
  #blocks = 0;

  push(frame: Int16Array): HeardSound | undefined {
    let heard: HeardSound | undefined;
    for (let at = 0; at < frame.length; ) {
      const part = frame.subarray(at, at + BLOCK - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < BLOCK) break;
      this.#filled = 0;
      heard = this.#next(keyOf(this.#block)) ?? heard;
    }
    return heard;
  }

  #next(key: string): HeardSound | undefined {
    if (this.#digit !== '') {
      if (key === this.#digit) {
        this.#blocks += 1 + this.#other;
        this.#other = 0;
        return undefined;
      }
      this.#other += 1;
      if (this.#other < END_BLOCKS) return undefined;
      const durationMs = Math.round(this.#blocks * BLOCK_MS);
      const digit = this.#digit;
      this.#digit = '';
      this.#begin(key, 1);
      return { kind: 'digit', digit, durationMs };
    }
    this.#begin(key, key === this.#candidate ? this.#same + 1 : 1);
    return undefined;
  }

  #begin(key: string, same: number): void {
    this.#candidate = key;
    this.#same = key === '' ? 0 : same;
    if (this.#same < BEGIN_BLOCKS) return;
    this.#digit = key;
    this.#blocks = this.#same;
    this.#other = 0;
  }
}

/** '' for none. */
function keyOf(block: Int16Array): string {
  const energy = energyOf(block);
  if (energy < LEAST_ENERGY) return '';
  const low = best(LOW_HZ.map((hz) => shareAt(block, hz, energy)));
  const high = best(HIGH_HZ.map((hz) => shareAt(block, hz, energy)));
  if (low === undefined || high === undefined) return '';
  if (low.share + high.share < LEAST_SHARE) return '';
  if (high.share > low.share * REVERSE_TWIST || low.share > high.share * TWIST) return '';
  return KEYS[low.index]![high.index]!;
}

/** undefined when two tones of one group are there. */
function best(shares: readonly number[]): { readonly index: number; readonly share: number } | undefined {
  const share = Math.max(...shares);
  const index = shares.indexOf(share);
  return shares.some((other, i) => i !== index && other * RATIO > share) ? undefined : { index, share };
}
