/**
 * What a leg hears while the other leg of its bridge says that nobody speaks there (RFC 3389): comfort noise in its own codec, or packets of it for
 * who takes them, again and again, so that nobody thinks that the line is dead.
 */
import { fillNoise } from './comfort-noise.ts';
import { FRAME_MS } from './codec/g711.ts';
import type { LegOutput } from './leg-output.ts';

/** Who takes comfort noise gets a packet so often. */
const AGAIN_MS = 200;

export class LegQuiet {
  readonly #output: LegOutput;
  readonly #random: () => number;
  #level: number | undefined;
  #sentMs = -Infinity;
  #frame = new Int16Array(0);

  constructor(output: LegOutput, random: () => number) {
    this.#output = output;
    this.#random = random;
  }

  get isQuiet(): boolean {
    return this.#level !== undefined;
  }

  /** In -dBov. */
  begin(level: number): void {
    if (this.#level === undefined) this.#sentMs = -Infinity;
    this.#level = level;
  }

  /** Somebody speaks again, or is gone. */
  end(): void {
    this.#level = undefined;
  }

  /** Once per 20 ms, while it is quiet. */
  tick(nowMs: number): void {
    if (this.#level === undefined) return;
    if (!this.#output.takesNoise) {
      const { rate } = this.#output.codec;
      if (this.#frame.length !== (rate / 1000) * FRAME_MS) this.#frame = new Int16Array((rate / 1000) * FRAME_MS);
      fillNoise(this.#frame, this.#level, this.#random);
      return this.#output.sound(this.#frame, rate);
    }
    if (nowMs - this.#sentMs < AGAIN_MS) return;
    this.#sentMs = nowMs;
    this.#output.noise(this.#level);
  }
}
