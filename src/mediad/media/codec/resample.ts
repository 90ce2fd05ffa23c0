/** Between telephone band (8 kHz) and wide band (16 kHz), and from the rates of files. */
import { setImmediate } from 'node:timers/promises';
import type { AudioRate } from './codec-types.ts';

const TAPS = 47;
const CENTRE = (TAPS - 1) / 2;

/** 47 taps, Blackman window, -6 dB at 3.7 kHz of 16 kHz: what would fold back into speech is 60 dB down. */
const HALF_BAND = lowPass(TAPS, 3700 / 16_000);

/** A stream of samples at another rate; remembers what it needs between two calls. */
export class Resampler {
  readonly from: AudioRate;
  readonly to: AudioRate;
  readonly #history = new Float64Array(TAPS);
  #odd = 0;

  constructor(from: AudioRate, to: AudioRate) {
    this.from = from;
    this.to = to;
  }

  /** Twice or half as many; the same array if the rates are the same. An even number of samples if it is halved. */
  process(samples: Int16Array): Int16Array {
    if (this.from === this.to) return samples;
    return this.from < this.to ? this.#double(samples) : this.#halve(samples);
  }

  #double(samples: Int16Array): Int16Array {
    const out = new Int16Array(samples.length * 2);
    for (let i = 0; i < samples.length; i++) {
      this.#push(samples[i]!);
      // Between two samples lies a zero: each output meets every second tap.
      out[2 * i] = clip(2 * this.#sum(0, 2));
      out[2 * i + 1] = clip(2 * this.#sum(1, 2));
    }
    return out;
  }

  #halve(samples: Int16Array): Int16Array {
    const out = new Int16Array((samples.length + this.#odd) >> 1);
    let filled = 0;
    for (const sample of samples) {
      this.#push(sample);
      this.#odd ^= 1;
      if (this.#odd === 0) out[filled++] = clip(this.#sum(0, 1));
    }
    return out;
  }

  #push(sample: number): void {
    this.#history.copyWithin(1, 0, TAPS - 1);
    this.#history[0] = sample;
  }

  #sum(first: number, step: number): number {
    let sum = 0;
    for (let tap = first, i = 0; tap < TAPS; tap += step, i++) sum += HALF_BAND[tap]! * this.#history[i]!;
    return sum;
  }
}

/** Samples made before something else gets its turn: less than a millisecond. */
const SLICE = 2000;
/** Of the lower rate, on each side. */
const REACH = CENTRE;

/**
 * A whole recording of any rate at 16 kHz; nothing above the new band folds back. The thread that plays to others meanwhile goes on with that.
 * A prototype filter at the common multiple of both rates, of which each sample meets the taps that are its turn.
 */
export async function inWideBand(samples: Int16Array, fromHz: number): Promise<Int16Array> {
  const common = gcd(fromHz, WIDE);
  const [up, down] = [WIDE / common, fromHz / common];
  const half = REACH * Math.max(up, down);
  const taps = lowPass(2 * half + 1, (0.4625 * Math.min(fromHz, WIDE)) / (fromHz * up));
  const out = new Int16Array(Math.floor((samples.length * up) / down));
  for (let i = 0; i < out.length; i++) {
    if (i % SLICE === SLICE - 1) await setImmediate();
    const centre = i * down;
    let sum = 0;
    const last = Math.floor((centre + half) / up);
    for (let j = Math.ceil((centre - half) / up); j <= last; j++)
      sum += taps[half + centre - j * up]! * (samples[j] ?? 0);
    out[i] = clip(sum * up);
  }
  return out;
}

const WIDE = 16_000;

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

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

function clip(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}
