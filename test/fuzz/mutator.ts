/** Numbers from a seed: the same seed gives the same inputs, on every machine. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % limit;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Pieces that have broken parsers. */
const nasty: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ';',
  ',',
  '"',
  '\\',
  '<',
  '>',
  ':',
  '@',
  '=',
  '?',
  '[',
  ']',
  '%00',
  '%',
  '\u{1F600}',
  '\u00FF',
  '\u2028',
  '-1',
  '0x10',
  '4294967296',
  '99999999999999999999',
  '__proto__',
  'Content-Length: 7\r\n',
  '\r\n\r\n',
  '\r\n ',
  'SIP/2.0 ',
  ';'.repeat(3_000),
  '"'.repeat(3_000),
  ' '.repeat(3_000),
  '<'.repeat(3_000),
  '\\'.repeat(3_000),
  'a'.repeat(9_000),
  '\r\n '.repeat(1_000),
];

/** Seeds with a few edits each: bytes flipped, pieces put in, cut out, doubled, or taken from another seed. */
export class Mutator {
  readonly #dice: Dice;
  readonly #seeds: readonly Buffer[];

  constructor(seeds: readonly Buffer[], dice: Dice) {
    this.#seeds = seeds;
    this.#dice = dice;
  }

  next(): Buffer {
    let bytes = Buffer.from(this.#dice.of(this.#seeds));
    const edits = 1 + this.#dice.below(5);
    for (let i = 0; i < edits; i++) bytes = this.#edit(bytes);
    return bytes;
  }

  #edit(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const at = this.#dice.below(bytes.length + 1);
    const cut = this.#dice.below(30);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (this.#dice.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#dice.below(8));
        return bytes;
      case 1:
        return Buffer.concat([head, Buffer.from(this.#dice.of(nasty)), tail]);
      case 2:
        return Buffer.concat([head, tail.subarray(cut)]);
      case 3:
        return Buffer.concat([head, tail.subarray(0, cut), tail]);
      case 4:
        return Buffer.concat([head, Buffer.from(this.#dice.of(nasty)), tail.subarray(cut)]);
      default: {
        const other = this.#dice.of(this.#seeds);
        const from = this.#dice.below(other.length + 1);
        return Buffer.concat([head, other.subarray(from, from + cut * 2), tail]);
      }
    }
  }
}
