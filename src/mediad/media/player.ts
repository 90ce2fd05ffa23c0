/** Plays a list of sources one after the other, once or for ever. */
import type { AudioSource } from './audio-source.ts';
import type { AudioRate } from './codec/codec-types.ts';

export interface PlayerItem {
  readonly name: string;
  /** A source that gives so many samples a second. */
  readonly open: (rate: AudioRate) => AudioSource;
}

/** Lengths are in samples at 8 kHz, whatever the rate. */
export interface PlayerEvents {
  started(name: string): void;
  stopped(name: string, samples: number): void;
  ended(samples: number, lastItemSamples: number): void;
}

export class Player {
  readonly rate: AudioRate;
  readonly #items: readonly PlayerItem[];
  readonly #isEndless: boolean;
  readonly #maxSamples: number;
  readonly #events: PlayerEvents;
  #index = -1;
  #source: AudioSource | undefined;
  #itemSamples = 0;
  #samples = 0;
  #isEnded = false;

  constructor(
    items: readonly PlayerItem[],
    { isEndless = false, maxMs = Infinity }: { isEndless?: boolean; maxMs?: number },
    events: PlayerEvents,
    rate: AudioRate = 8000,
  ) {
    this.rate = rate;
    this.#items = items;
    this.#isEndless = isEndless;
    this.#maxSamples = (maxMs * rate) / 1000;
    this.#events = events;
  }

  /** Fills one frame; what lies behind the end is silence. */
  next(frame: Int16Array): void {
    let filled = 0;
    // An item that is empty twice in a row in an endless list would spin for ever: at most one round per frame.
    for (let turns = 0; filled < frame.length && turns <= this.#items.length && !this.#isEnded; turns++) {
      this.#source ??= this.#openNext();
      if (this.#source === undefined) break;
      const count = this.#source.next(filled === 0 ? frame : frame.subarray(filled));
      filled += count;
      this.#itemSamples += count;
      this.#samples += count;
      if (filled < frame.length) this.#stopItem();
    }
    frame.fill(0, filled);
    if (this.#samples >= this.#maxSamples) this.close();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Stops at once. May be called twice. */
  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const last = this.#itemSamples;
    this.#stopItem();
    this.#events.ended(this.#at8kHz(this.#samples), this.#at8kHz(last));
  }

  describe(): string {
    return this.#source?.describe() ?? 'silence';
  }

  #openNext(): AudioSource | undefined {
    this.#index += 1;
    if (this.#index >= this.#items.length && this.#isEndless) this.#index = 0;
    const item = this.#items[this.#index];
    if (item === undefined) {
      this.close();
      return undefined;
    }
    this.#itemSamples = 0;
    this.#events.started(item.name);
    return item.open(this.rate);
  }

  #stopItem(): void {
    if (this.#source === undefined) return;
    this.#source = undefined;
    this.#events.stopped(this.#items[this.#index]!.name, this.#at8kHz(this.#itemSamples));
  }

  #at8kHz(samples: number): number {
    return Math.round((samples * 8000) / this.rate);
  }
}
