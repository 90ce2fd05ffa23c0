import { symbolOf } from './pattern.ts';

/**
 * Exact numbers by their characters. Four bits make a character, so that a number is two words that lie beside what is
 * kept for it: a look-up reads one cache line, where a map of strings goes to a bucket, an entry and the string.
 */
export class NumberTable {
  /** In each slot of four words: the first characters, the rest, what is kept. A slot without characters is free. */
  readonly #slots: Int32Array;
  #room: number;
  /** Numbers that two words do not hold. */
  readonly #longer = new Map<string, number>();

  /** For so many numbers at most. */
  constructor(room: number) {
    this.#room = room;
    // Half of the slots stay free, so that what is looked up stands in its place or close behind it.
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * room + 1)) * SLOT);
  }

  /** Keeps a whole number ≥ 0 for a number of `symbols`; the last that is set counts. Throws RangeError when full. */
  set(number: string, kept: number): void {
    if (--this.#room < 0) throw new RangeError('the table of numbers is full');
    if (number.length > LONGEST) this.#longer.set(number, kept);
    else put(this.#slots, word(number, 0), word(number, WORD), kept);
  }

  get(number: string): number | undefined {
    if (number.length > LONGEST) return this.#longer.get(number);
    const slots = this.#slots;
    const slot = slotOf(slots, word(number, 0), word(number, WORD));
    return slots[slot] === 0 ? undefined : slots[slot + KEPT];
  }
}

const [REST, KEPT] = [1, 2];
const SLOT = 4;
/** Characters in a word. */
const WORD = 8;
const LONGEST = 2 * WORD;

function put(slots: Int32Array, first: number, rest: number, kept: number): void {
  const slot = slotOf(slots, first, rest);
  slots[slot] = first;
  slots[slot + REST] = rest;
  slots[slot + KEPT] = kept;
}

/** The slot of these characters, or the free one that they would take. */
function slotOf(slots: Int32Array, first: number, rest: number): number {
  const mixed = Math.imul(first ^ Math.imul(rest, 0x85eb_ca6b), 0x9e37_79b1);
  let slot = ((mixed ^ (mixed >>> 15)) << 2) & (slots.length - 1);
  while (slots[slot] !== 0 && (slots[slot] !== first || slots[slot + REST] !== rest)) {
    slot = (slot + SLOT) & (slots.length - 1);
  }
  return slot;
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
