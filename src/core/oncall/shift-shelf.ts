import { type Instant, instant, type Zone } from '../time/index.ts';
import type { Person } from './people.ts';
import type { PersonId } from './vocabulary.ts';

/**
 * Where the shifts of many tiers lie. With 10⁴ services a question is paid in cache misses, so what tiers have in common
 * is kept once: most hand over at the same hours as others do, by rules of the same words (a timetable), and the people
 * of a rotation come again in the same order. It only grows; a roster that is laid out anew has its own.
 */
export class ShiftShelf {
  readonly #sayings: SpokenRule[] = [];
  readonly #sayingPlaces = new Map<string, number>();
  /** Rows of timetables, side by side. */
  readonly #rows: Float64Array[] = [];
  #room = { size: 0, used: 0, total: 0 };
  #timetables = new Float64Array(TABLE);
  #count = 0;
  /** By a hash of their rows. */
  readonly #alike = new Map<number, number>();
  #draft = new Float64Array(WIDTH);
  /** Names and, in the same places, records: who only wants the name leaves the records where they are. */
  readonly #names: PersonId[][] = [];
  readonly #records: Person[][] = [];

  /** The place of these words. */
  keepSaying(rule: SpokenRule): number {
    const key = `${rule.zone.name} ${rule.says}`;
    const known = this.#sayingPlaces.get(key);
    if (known !== undefined) return known;
    const place = this.#sayings.push(rule) - 1;
    this.#sayingPlaces.set(key, place);
    return place;
  }

  /** Shifts in the order of time; `saying`: the place of the words. */
  keep(shifts: readonly KeptShift[]): ShiftRun {
    const rows = this.#drafted(shifts);
    const turns = turnsOf(shifts);
    return { timetable: this.#timetable(rows), holders: this.#keepHolders(shifts, turns), turns };
  }

  /** How many shifts there are. */
  count({ timetable }: ShiftRun): number {
    return this.#timetables[timetable * TABLE + COUNT]!;
  }

  /** Which shift covers the instant; -1: none does. */
  shiftAt(timetable: number, at: Instant): number {
    const table = timetable * TABLE;
    const count = this.#timetables[table + COUNT]!;
    if (count === 0) return -1;
    const start = this.#timetables[table + START]!;
    const rows = this.#rows[Math.floor(start / BLOCK_ROWS)]!;
    const first = start % BLOCK_ROWS;
    // Turns of one rotation have one length: so a guess by length nearly always hits, or is off by one.
    const guess = Math.floor((at - this.#timetables[table + SINCE]!) / this.#timetables[table + EACH_MS]!);
    const row = lastBegun(rows, first, first + Math.max(0, Math.min(count - 1, guess)), first + count - 1, at);
    return at >= rows[row * WIDTH + FROM]! && at < rows[row * WIDTH + TO]! ? row - first : -1;
  }

  /** `shift`: counted from 0. */
  shift(timetable: number, shift: number): LaidOutShift {
    const start = this.#timetables[timetable * TABLE + START]!;
    const rows = this.#rows[Math.floor(start / BLOCK_ROWS)]!;
    const row = ((start % BLOCK_ROWS) + shift) * WIDTH;
    return {
      from: instant(rows[row + FROM]!),
      to: instant(rows[row + TO]!),
      rule: this.#sayings[rows[row + SAYING]!]!,
    };
  }

  /** Whose a shift is that has this holder; see `holderOf`. */
  personId(holder: number): PersonId {
    return this.#names[holder >>> HOLDER_BITS]![holder & HOLDER_MASK]!;
  }

  person(holder: number): Person {
    return this.#records[holder >>> HOLDER_BITS]![holder & HOLDER_MASK]!;
  }

  #drafted(shifts: readonly KeptShift[]): Float64Array {
    if (this.#draft.length < shifts.length * WIDTH) this.#draft = new Float64Array(2 * shifts.length * WIDTH);
    const rows = this.#draft.subarray(0, shifts.length * WIDTH);
    for (const [i, { from, to, saying }] of shifts.entries()) {
      rows[i * WIDTH + FROM] = from;
      rows[i * WIDTH + TO] = to;
      rows[i * WIDTH + SAYING] = saying;
    }
    return rows;
  }

  /** One with these very rows. Where two timetables have one hash the second is not looked for again: it is kept twice. */
  #timetable(rows: Float64Array): number {
    const hash = hashOf(rows);
    const alike = this.#alike.get(hash);
    if (alike !== undefined && this.#hasRows(alike, rows)) return alike;
    const count = rows.length / WIDTH;
    const start = this.#place(rows, count);
    if ((this.#count + 1) * TABLE > this.#timetables.length) {
      const more = new Float64Array(2 * this.#timetables.length);
      more.set(this.#timetables);
      this.#timetables = more;
    }
    const [from, to] = count === 0 ? [0, 0] : [rows[FROM]!, rows.at(TO - WIDTH)!];
    this.#timetables.set([start, count, from, (to - from) / count], this.#count * TABLE);
    if (alike === undefined) this.#alike.set(hash, this.#count);
    return this.#count++;
  }

  #hasRows(timetable: number, rows: Float64Array): boolean {
    const start = this.#timetables[timetable * TABLE + START]!;
    if (this.#timetables[timetable * TABLE + COUNT] !== rows.length / WIDTH) return false;
    const block = this.#rows[Math.floor(start / BLOCK_ROWS)];
    const first = (start % BLOCK_ROWS) * WIDTH;
    return rows.every((value, i) => block![first + i] === value);
  }

  #place(rows: Float64Array, count: number): number {
    const room = this.#room;
    if (this.#rows.length === 0 || room.used + count > room.size) {
      // Small for small houses: as much again as there is already, up to a limit.
      room.size = Math.max(count, Math.min(BLOCK_ROWS, room.total));
      room.used = 0;
      this.#rows.push(new Float64Array(room.size * WIDTH));
    }
    const start = room.used;
    this.#rows.at(-1)!.set(rows, start * WIDTH);
    room.used += count;
    room.total += count;
    return (this.#rows.length - 1) * BLOCK_ROWS + start;
  }

  #keepHolders(shifts: readonly KeptShift[], turns: number): number {
    let [names, records] = [this.#names.at(-1), this.#records.at(-1)];
    if (names === undefined || records === undefined || names.length + turns > BLOCK_ROWS) {
      [names, records] = [[], []];
      this.#names.push(names);
      this.#records.push(records);
    }
    const start = names.length;
    for (let i = 0; i < turns && i < shifts.length; i++) {
      names.push(shifts[i]!.person.id);
      records.push(shifts[i]!.person);
    }
    return ((this.#names.length - 1) << HOLDER_BITS) + start;
  }
}

/** Where the holder of a shift stands. */
export function holderOf({ holders, turns }: Pick<ShiftRun, 'holders' | 'turns'>, shift: number): number {
  return holders + (shift % turns);
}

/** Where the shifts of one tier lie. */
export interface ShiftRun {
  readonly timetable: number;
  /** Of the first shift. */
  readonly holders: number;
  /** After so many shifts the same people come again; 1 at least. */
  readonly turns: number;
}

export interface KeptShift {
  readonly from: Instant;
  readonly to: Instant;
  readonly saying: number;
  readonly person: Person;
}

export interface LaidOutShift {
  readonly from: Instant;
  readonly to: Instant;
  readonly rule: SpokenRule;
}

export interface SpokenRule {
  /** "weekly rotation since 2026-01-05 08:00, on duty until " */
  readonly says: string;
  /** The end of the shift follows, on the clock of this zone. */
  readonly isDated: boolean;
  readonly zone: Zone;
}

/** Columns of a row. */
const [FROM, TO, SAYING, WIDTH] = [0, 1, 2, 3];
/** Columns of a timetable: its first row, how many there are, when the first begins, and how long each is if all are alike. */
const [START, COUNT, SINCE, EACH_MS, TABLE] = [0, 1, 2, 3, 4];
const BLOCK_ROWS = 2 ** 16;
/** Of a place in a block of holders: one tier alone may have more than a block of the usual size. */
const HOLDER_BITS = 20;
const HOLDER_MASK = (1 << HOLDER_BITS) - 1;

/** Row of the last shift that has begun; the first when none has. Makes no garbage, so that the cache keeps the rows. */
function lastBegun(rows: Float64Array, first: number, guess: number, last: number, at: Instant): number {
  let low = first;
  let high = last;
  if (rows[guess * WIDTH + FROM]! <= at) {
    if (guess === last || rows[(guess + 1) * WIDTH + FROM]! > at) return guess;
    low = guess + 1;
    if (low === last || rows[(low + 1) * WIDTH + FROM]! > at) return low;
  } else if (guess > first) {
    high = guess - 1;
    if (rows[high * WIDTH + FROM]! <= at) return high;
  }
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (rows[middle * WIDTH + FROM]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The least period of their holders: 3 for A B C A B. By the borders of Knuth, Morris and Pratt. */
function turnsOf(shifts: readonly KeptShift[]): number {
  const borders = new Int32Array(shifts.length);
  for (let i = 1; i < shifts.length; i++) {
    const { person } = shifts[i]!;
    let border = borders[i - 1]!;
    while (border > 0 && shifts[border]!.person !== person) border = borders[border - 1]!;
    borders[i] = shifts[border]!.person === person ? border + 1 : 0;
  }
  return Math.max(1, shifts.length - (borders.at(-1) ?? 0));
}

/** FNV-1a over words. */
function hashOf(rows: Float64Array): number {
  const words = new Int32Array(rows.buffer, rows.byteOffset, rows.length * 2);
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  return hash;
}
