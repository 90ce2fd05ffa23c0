/** Keys as tones (ITU-T Q.23), for phones that take no telephone events. */
import { FRAME_SAMPLES, SAMPLE_RATE } from './codec/g711.ts';

const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const KEYS = '123A456B789C*0#D';
/** Each of the two: about -11 dBm0. */
const AMPLITUDE = 4500;
const PAUSE_FRAMES = 4;
const MAX_QUEUED = 128;
/** Shorter ones are not heard by everybody (Q.24). */
const LEAST_FRAMES = 4;

/** Frames of 20 ms at 8 kHz: a key, a pause, the next key. */
export class KeyTones {
  readonly #queue: { readonly key: number; readonly frames: number }[] = [];
  #sent = 0;
  #pause = 0;

  /** Unknown characters and keys beyond the queue's bound are left out. */
  queue(keys: string, durationSamples: number): void {
    for (const name of keys.toUpperCase()) {
      const key = KEYS.indexOf(name);
      const frames = Math.max(LEAST_FRAMES, Math.round(durationSamples / FRAME_SAMPLES));
      if (key !== -1 && this.#queue.length < MAX_QUEUED) this.#queue.push({ key, frames });
    }
  }

  get isSending(): boolean {
    return this.#queue.length > 0 || this.#pause > 0;
  }

  next(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES);
    const press = this.#queue[0];
    if (this.#pause > 0 || press === undefined) {
      this.#pause -= 1;
      return frame;
    }
    const [low, high] = [LOW_HZ[press.key >> 2]!, HIGH_HZ[press.key % 4]!];
    for (let i = 0; i < FRAME_SAMPLES; i += 1) {
      const at = (2 * Math.PI * (this.#sent * FRAME_SAMPLES + i)) / SAMPLE_RATE;
      frame[i] = Math.round(AMPLITUDE * (Math.sin(low * at) + Math.sin(high * at)));
    }
    this.#sent += 1;
    if (this.#sent === press.frames) {
      this.#queue.shift();
      this.#sent = 0;
      this.#pause = PAUSE_FRAMES;
    }
    return frame;
  }
}
