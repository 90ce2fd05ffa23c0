import { symbolOf } from './pattern.ts';

/**
 * Exact numbers by their characters. Four bits make a character, so that a number is one word or two that lie beside
 * what is kept for it: a look-up reads one cache line, where a map of strings goes to a bucket, an entry and the string.
 */
export class NumberTable {
  /** In each slot of two words: the characters, what is kept. A slot without characters is free. */
  readonly #short: Int32Array;
  /** In each slot of three words: the first characters, the rest, what is kept. */
  readonly #long: Int32Array;
  readonly #room: { short: number; long: number };
  /** Numbers that two words do not hold. */
  readonly #longer = new Map<string, number>();

  /** For so many numbers at most of up to eight characters, and of more. */
  constructor(room: NumberRoom) {
    this.#room = { ...room };
    this.#short = new Int32Array(slotsFor(room.short) * SHORT);
    this.#long = new Int32Array(slotsFor(room.long) * LONG);
  }

  /** Keeps a whole number ≥ 0 for a number of `symbols`; the last that is set counts. Throws RangeError when full. */
  set(number: string, kept: number): void {
    const size = sizeOf(number);
    if (--this.#room[size] < 0) throw new RangeError('the table of numbers is full');
    if (number.length > LONGEST) {
      this.#longer.set(number, kept);
    } else if (size === 'short') {
      const first = word(number, 0);
      const slot = shortSlot(this.#short, first);
      this.#short[slot] = first;
      this.#short[slot + 1] = kept;
    } else {
      const [first, rest] = [word(number, 0), word(number, WORD)];
      const slot = longSlot(this.#long, first, rest);
      this.#long.set([first, rest, kept], slot);
    }
  }

  get(number: string): number | undefined {
    if (number.length > LONGEST) return this.#longer.get(number);
    if (number.length <= WORD) {
      const slots = this.#short;
      const slot = shortSlot(slots, word(number, 0));
      return slots[slot] === 0 ? undefined : slots[slot + 1];
    }
    const slots = this.#long;
    const slot = longSlot(slots, word(number, 0), word(number, WORD));
    return slots[slot] === 0 ? undefined : slots[slot + 2];
  }
}

/** How many numbers of each size. */
export interface NumberRoom {
  readonly short: number;
  readonly long: number;
}

export function sizeOf(number: string): keyof NumberRoom {
  return number.length <= WORD ? 'short' : 'long';
}

const [SHORT, LONG] = [2, 3];
/** Characters in a word. */
const WORD = 8;
const LONGEST = 2 * WORD;
/** Of the slots, at most: so that what is looked up stands in its place or close behind it, in few cache lines in all. */
const MOST_TAKEN = 0.7;

/** One is free at least. */
function slotsFor(numbers: number): number {
  return Math.ceil(numbers / MOST_TAKEN) + 1;
}

/** The slot of these characters, or the free one that they would take. */
function shortSlot(slots: Int32Array, first: number): number {
  let slot = placeOf(Math.imul(first, 0x9e37_79b1), slots.length / SHORT) * SHORT;
  while (slots[slot] !== 0 && slots[slot] !== first) {
    slot += SHORT;
    if (slot === slots.length) slot = 0;
  }
  return slot;
}

function longSlot(slots: Int32Array, first: number, rest: number): number {
  const hash = Math.imul(first ^ Math.imul(rest, 0x85eb_ca6b), 0x9e37_79b1);
  let slot = placeOf(hash, slots.length / LONG) * LONG;
  while (slots[slot] !== 0 && (slots[slot] !== first || slots[slot + 1] !== rest)) {
    slot += LONG;
    if (slot === slots.length) slot = 0;
  }
  return slot;
}

/** Spreads 32 bits over so many slots; the high bits of a product are the mixed ones. */
function placeOf(hash: number, slots: number): number {
  return Math.floor((hash >>> 0) * slots * 2 ** -32);
}

/** Eight characters from one on; 0 where there is none. */
function word(number: string, from: number): number {
  const end = Math.min(number.length, from + WORD);
  let packed = 0;
  for (let i = from; i < end; i++) {
    const code = number.charCodeAt(i);
    packed = (packed << 4) | (code < CODES.length ? CODES[code]! : STRANGE);
  }
  return packed;
}

/** Stands for every character that is in no number: so nothing is found. */
const STRANGE = 15;
const CODES = Uint8Array.from({ length: 128 }, (_, code) => {
  const symbol = symbolOf(String.fromCharCode(code));
  return symbol < 0 ? STRANGE : symbol + 1;
});
