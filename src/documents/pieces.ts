/**
 * A value of any size in pieces of bounded size, for the way from one thread to another: whoever takes a piece in is
 * busy for a fraction of a millisecond. Plain data only; what is in the value twice is so in the copy, too.
 */
export interface Piece {
  /** Lists of keys, known from now on by the order of their coming. */
  readonly shapes: readonly (readonly string[])[];
  /** What comes next: one of the signs below, or 4 and more for an object of a shape. A list and a dictionary say how long they are. */
  readonly signs: readonly number[];
  /** Texts, numbers and the like, in the order of the signs; also keys of dictionaries. */
  readonly scalars: readonly unknown[];
}

const SCALAR = 0;
const LIST = 1;
/** An object with many keys: each key comes before its value. */
const DICTIONARY = 2;
/** Something that was there before: its number follows. */
const AGAIN = 3;
const SHAPES = 4;

/** Objects with more keys than this are no records of ours, but sections of a document. */
const MAX_KEYS = 32;

/** At most so many values, lists and objects in a piece. */
export const PIECE_VALUES = 1_000;

export function* inPieces(whole: unknown): Generator<Piece, void> {
  const shapes = new Map<string, number>();
  const known = new Map<object, number>();
  let piece = emptyPiece();
  // What is still to come, the next one last.
  const rest: Iterator<unknown>[] = [[whole].values()];
  while (rest.length > 0) {
    const next = rest.at(-1)!.next();
    if (next.done) {
      rest.pop();
      continue;
    }
    if (piece.signs.length >= PIECE_VALUES) {
      yield piece;
      piece = emptyPiece();
    }
    const value = next.value;
    if (typeof value !== 'object' || value === null) {
      piece.signs.push(SCALAR);
      piece.scalars.push(value);
      continue;
    }
    const before = known.get(value);
    if (before !== undefined) {
      piece.signs.push(AGAIN, before);
      continue;
    }
    known.set(value, known.size);
    if (Array.isArray(value)) {
      piece.signs.push(LIST, value.length);
      rest.push(value.values());
      continue;
    }
    const keys = Object.keys(value);
    if (keys.length > MAX_KEYS) {
      piece.signs.push(DICTIONARY, keys.length);
      rest.push(keysAndValues(value as Record<string, unknown>, keys));
      continue;
    }
    const name = keys.join('\n');
    let shape = shapes.get(name);
    if (shape === undefined) {
      shape = shapes.size;
      shapes.set(name, shape);
      piece.shapes.push(keys);
    }
    piece.signs.push(SHAPES + shape);
    rest.push(Object.values(value).values());
  }
  yield piece;
}

function emptyPiece(): { shapes: (readonly string[])[]; signs: number[]; scalars: unknown[] } {
  return { shapes: [], signs: [], scalars: [] };
}

function* keysAndValues(value: Record<string, unknown>, keys: readonly string[]): Generator<unknown, void> {
  for (const key of keys) {
    yield key;
    yield value[key];
  }
}

/** A list or an object that is not complete yet. */
interface Unfinished {
  readonly into: unknown[] | Record<string, unknown>;
  /** null: a list; 'given': each key comes before its value. */
  readonly keys: readonly string[] | 'given' | null;
  readonly count: number;
  done: number;
  key: string | null;
}

/** Puts pieces together again. */
export class Assembly {
  readonly #shapes: (readonly string[])[] = [];
  readonly #known: object[] = [];
  readonly #open: Unfinished[] = [];
  #whole: unknown;

  take({ shapes, signs, scalars }: Piece): void {
    this.#shapes.push(...shapes);
    let scalar = 0;
    for (let i = 0; i < signs.length; i++) {
      const sign = signs[i]!;
      switch (sign) {
        case SCALAR:
          this.#put(scalars[scalar++]);
          break;
        case AGAIN:
          this.#put(this.#known[signs[++i]!]);
          break;
        case LIST:
          this.#begin([], null, signs[++i]!);
          break;
        case DICTIONARY:
          this.#begin({}, 'given', signs[++i]!);
          break;
        default: {
          const keys = this.#shapes[sign - SHAPES]!;
          this.#begin({}, keys, keys.length);
        }
      }
    }
  }

  /** Once all pieces were taken. */
  whole(): unknown {
    return this.#whole;
  }

  #begin(into: Unfinished['into'], keys: Unfinished['keys'], count: number): void {
    this.#known.push(into);
    this.#put(into);
    if (count > 0) this.#open.push({ into, keys, count, done: 0, key: null });
  }

  #put(value: unknown): void {
    const to = this.#open.at(-1);
    if (to === undefined) {
      this.#whole = value;
      return;
    }
    if (to.keys === 'given' && to.key === null) {
      to.key = value as string;
      return;
    }
    if (to.keys === null) (to.into as unknown[]).push(value);
    else (to.into as Record<string, unknown>)[to.key ?? to.keys[to.done]!] = value;
    to.key = null;
    // What has just begun was put here first: so what it is the last part of is complete, as far as this goes.
    if (++to.done === to.count) this.#open.pop();
  }
}
