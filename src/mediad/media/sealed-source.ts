import type { SealedReader } from '../../vault/index.ts';
import type { AudioSource } from './audio-source.ts';
import { decodeG711, type G711 } from './codec/g711.ts';

/** Plays a sealed recording, opened second by second. */
export class SealedSource implements AudioSource {
  readonly #reader: SealedReader;
  readonly #law: G711;
  #second: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Throws for sound that no leg of ours can have recorded. */
  constructor(reader: SealedReader) {
    const { encoding, rate, channels } = reader.format;
    if (encoding === 'L16' || rate !== 8000 || channels !== 1) throw new RangeError('not telephone sound');
    this.#reader = reader;
    this.#law = encoding;
  }

  next(frame: Int16Array): number {
    let filled = 0;
    while (filled < frame.length) {
      if (this.#at >= this.#second.length) {
        this.#second.fill(0);
        const second = this.#reader.next();
        if (second === undefined) break;
        this.#second = second;
        this.#at = 0;
      }
      const count = Math.min(frame.length - filled, this.#second.length - this.#at);
      decodeG711(this.#law, this.#second.subarray(this.#at, this.#at + count), frame.subarray(filled, filled + count));
      this.#at += count;
      filled += count;
    }
    return filled;
  }

  describe(): string {
    return `sealed(${this.#law})`;
  }
}
