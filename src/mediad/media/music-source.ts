import type { AudioSource } from './audio-source.ts';
import type { AudioRate } from './codec/codec-types.ts';
import type { HeldSound } from './files/sound-file.ts';
import { HeldSource } from './held-source.ts';

/** Plays the files of a folder one after the other, for ever. The next one is read while one plays; what cannot be read is left out. */
export class MusicSource implements AudioSource {
  readonly #paths: readonly string[];
  readonly #load: (path: string) => Promise<HeldSound | string>;
  readonly #rate: AudioRate;
  #index: number;
  #now: AudioSource;
  #then: HeldSound | undefined;

  /** `index`: which of the paths the first sound is. */
  constructor(
    music: { readonly paths: readonly string[]; readonly index: number; readonly sound: HeldSound },
    load: (path: string) => Promise<HeldSound | string>,
    rate: AudioRate,
  ) {
    this.#paths = music.paths;
    this.#index = music.index;
    this.#load = load;
    this.#rate = rate;
    this.#now = this.#play(music.sound);
  }

  next(frame: Int16Array): number {
    const filled = this.#now.next(frame);
    if (filled === frame.length) return filled;
    // Not read yet: silence until it is.
    if (this.#then === undefined) return frame.fill(0, filled).length;
    this.#now = this.#play(this.#then);
    return filled + this.#now.next(frame.subarray(filled));
  }

  describe(): string {
    return `music(${this.#paths.length} files)`;
  }

  #play(sound: HeldSound): AudioSource {
    this.#then = undefined;
    void this.#readNext();
    return new HeldSource(sound, 'music', {}, this.#rate);
  }

  async #readNext(): Promise<void> {
    for (let tries = 0; tries < this.#paths.length && this.#then === undefined; tries++) {
      this.#index = (this.#index + 1) % this.#paths.length;
      const sound = await this.#load(this.#paths[this.#index]!);
      if (typeof sound !== 'string' && sound.samples.length > 0) this.#then = sound;
    }
  }
}
