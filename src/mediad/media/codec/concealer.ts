/** Fills in for lost packets: the last pitch period is said again, more and more softly. */
import type { AudioRate } from './codec-types.ts';

/** Voices lie between 66 and 200 Hz in what follows them best; longer repeats sound like a stutter. */
const SHORTEST_MS = 5;
const LONGEST_MS = 15;
/** After so long nobody would believe it any more. */
const FADE_MS = 60;

export class Concealer {
  readonly #rate: AudioRate;
  readonly #history: Int16Array;
  /** One period, while it is being repeated. */
  #period: Int16Array | undefined;
  #at = 0;
  #concealed = 0;

  constructor(rate: AudioRate) {
    this.#rate = rate;
    this.#history = new Int16Array((rate / 1000) * LONGEST_MS * 2);
  }

  heard(samples: Int16Array): void {
    this.#period = undefined;
    this.#concealed = 0;
    const history = this.#history;
    const fresh = samples.length > history.length ? samples.subarray(samples.length - history.length) : samples;
    history.copyWithin(0, fresh.length);
    history.set(fresh, history.length - fresh.length);
  }

  conceal(count: number): Int16Array {
    this.#period ??= this.#lastPeriod();
    const period = this.#period;
    const fade = (this.#rate / 1000) * FADE_MS;
    const samples = new Int16Array(count);
    for (let i = 0; i < count && this.#concealed < fade; i++) {
      samples[i] = period[this.#at]! * (1 - this.#concealed / fade);
      this.#at = (this.#at + 1) % period.length;
      this.#concealed += 1;
    }
    return samples;
  }

  /** The stretch at the end that is most like the one before it. */
  #lastPeriod(): Int16Array {
    const history = this.#history;
    const shortest = (this.#rate / 1000) * SHORTEST_MS;
    const longest = (this.#rate / 1000) * LONGEST_MS;
    this.#at = 0;
    let best = shortest;
    let bestLikeness = -Infinity;
    for (let lag = shortest; lag <= longest; lag++) {
      let product = 0;
      let energy = 1;
      for (let i = history.length - shortest; i < history.length; i++) {
        product += history[i]! * history[i - lag]!;
        energy += history[i - lag]! ** 2;
      }
      const likeness = product / Math.sqrt(energy);
      if (likeness <= bestLikeness) continue;
      best = lag;
      bestLikeness = likeness;
    }
    return history.slice(history.length - best);
  }
}
