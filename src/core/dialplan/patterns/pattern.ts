/**
 * The pattern language of numbers:
 *
 *   2101        the number itself            x  any digit   z  1-9   n  2-9
 *   2xxx        a digit for each x           [2-5] [135]    one of these digits
 *   2100-2199   every number from to         9!             9 and at least one character more
 *
 * A number is made of digits, "*" and "#", with "+" in front of one in E.164.
 */
export interface Pattern {
  readonly text: string;
  /** Each is a row of sets of symbols; a number fits when it fits one of them. They have no number in common. */
  readonly rows: readonly (readonly SymbolSet[])[];
  /** Behind a row any digits, "*" and "#" may follow, one at least. */
  readonly isOpen: boolean;
  /** The pattern is one number. */
  readonly isExact: boolean;
}

/** Bit i is `symbols[i]`. */
export type SymbolSet = number;

export const symbols = '0123456789*#+';
export const DIGITS: SymbolSet = 0b0_0011_1111_1111;
/** What may follow an open pattern. */
export const TAIL: SymbolSet = 0b0_1111_1111_1111;

const MAX_LENGTH = 24;

/** -1 for a character that is in no number. */
export function symbolOf(character: string): number {
  return symbols.indexOf(character);
}

/** The pattern, or what is wrong with it. */
export function parsePattern(text: string): Pattern | { readonly wrong: string } {
  if (text.length > 80) return { wrong: 'is too long' };
  const range = /^([0-9]+)-([0-9]+)$/.exec(text);
  if (range) return parseRange(text, range[1]!, range[2]!);
  const isOpen = text.endsWith('!');
  const row: SymbolSet[] = [];
  const body = isOpen ? text.slice(0, -1) : text;
  for (let i = 0; i < body.length; i++) {
    const c = body[i]!;
    if (c !== '[') {
      const set = letters[c] ?? (symbolOf(c) < 0 ? 0 : 1 << symbolOf(c));
      if (set === 0) return { wrong: `has "${c}" in it` };
      if (c === '+' && i > 0) return { wrong: 'has a "+" that is not in front' };
      row.push(set);
      continue;
    }
    const end = body.indexOf(']', i);
    const set = end < 0 ? null : digitSet(body.slice(i + 1, end));
    if (set === null) return { wrong: 'has brackets without digits such as [2-5] or [135]' };
    row.push(set);
    i = end;
  }
  if (row.length + (isOpen ? 1 : 0) === 0) return { wrong: 'is empty' };
  if (row.length > MAX_LENGTH) return { wrong: `is longer than ${MAX_LENGTH} digits` };
  return { text, rows: [row], isOpen, isExact: !isOpen && /^[0-9*#+]+$/.test(text) };
}

/** A shortest number that fits; '' for a text that is no pattern. */
export function exampleOf(text: string): string {
  const pattern = parsePattern(text);
  if ('wrong' in pattern) return '';
  const [row = []] = pattern.rows;
  return [...row, ...(pattern.isOpen ? [TAIL] : [])].map((set) => symbols[Math.log2(set & -set)]!).join('');
}

const letters: Readonly<Record<string, SymbolSet>> = {
  x: DIGITS,
  z: DIGITS & ~1,
  n: DIGITS & ~3,
};

/** "2-5", "135", "1-37"; null when it is none. */
function digitSet(text: string): SymbolSet | null {
  let set = 0;
  let rest = text;
  while (rest !== '') {
    const part = /^([0-9])(?:-([0-9]))?/.exec(rest);
    if (!part) return null;
    const [from, to] = [Number(part[1]), Number(part[2] ?? part[1])];
    if (to < from) return null;
    set |= span(from, to);
    rest = rest.slice(part[0].length);
  }
  return set === 0 ? null : set;
}

function parseRange(text: string, from: string, to: string): Pattern | { readonly wrong: string } {
  if (from.length !== to.length) return { wrong: 'is a range whose ends have different lengths' };
  if (from.length > MAX_LENGTH) return { wrong: `is longer than ${MAX_LENGTH} digits` };
  if (from > to) return { wrong: 'is a range that ends before it begins' };
  return { text, rows: rowsBetween(from, to), isOpen: false, isExact: from === to };
}

/** 2150-2349 is 215x … 219x, 22xx, 230x … 234x: at most two rows for each digit, and one between. */
function rowsBetween(from: string, to: string): SymbolSet[][] {
  const first = Number(from[0]);
  const last = Number(to[0]);
  const [fromRest, toRest] = [from.slice(1), to.slice(1)];
  if (fromRest === '') return [[span(first, last)]];
  if (first === last) return rowsBetween(fromRest, toRest).map((row) => [1 << first, ...row]);
  const [least, most] = ['0'.repeat(fromRest.length), '9'.repeat(fromRest.length)];
  const begin = fromRest === least ? first : first + 1;
  const end = toRest === most ? last : last - 1;
  const rows: SymbolSet[][] = [];
  if (begin > first) rows.push(...rowsBetween(fromRest, most).map((row) => [1 << first, ...row]));
  if (begin <= end) rows.push([span(begin, end), ...Array.from(fromRest, () => DIGITS)]);
  if (end < last) rows.push(...rowsBetween(least, toRest).map((row) => [1 << last, ...row]));
  return rows;
}

function span(from: number, to: number): SymbolSet {
  return (1 << (to + 1)) - (1 << from);
}
