import { inOneGo, STEP_ITEMS, type Work } from '../../steps/index.ts';
import { type Automaton, automaton, runAutomaton } from './automaton.ts';
import { parsePattern, type Pattern } from './pattern.ts';

/** Why a set of patterns cannot be used. Indexes are those of the patterns as they were given. */
export type PatternFault =
  | { readonly kind: 'wrong'; readonly pattern: number; readonly why: string }
  /** They fit the same numbers. */
  | { readonly kind: 'same'; readonly pattern: number; readonly other: number }
  /** `example` fits both, and neither is the narrower one. */
  | { readonly kind: 'conflict'; readonly pattern: number; readonly other: number; readonly example: string }
  /** Every number that fits it is taken by narrower ones, `other` among them. */
  | { readonly kind: 'shadowed'; readonly pattern: number; readonly other: number }
  /** More patterns than can be compared. */
  | { readonly kind: 'tangled'; readonly pattern: number };

/** What finding costs time to make, as flat numbers: made in one thread, it is of use in another at once. */
export interface PatternTables {
  /** Which patterns are numbers, by their indexes. */
  readonly exact: Int32Array<ArrayBuffer>;
  /** `next` of the automaton of all others; empty without any. */
  readonly next: Int32Array<ArrayBuffer>;
  /** By state of the automaton: the winner's index, or -1. */
  readonly winners: Int32Array<ArrayBuffer>;
}

/** The tables of patterns without a fault; see `patternFaults`. Throws RangeError for others. */
export function patternTables(patterns: readonly string[]): PatternTables {
  const exact: number[] = [];
  const open: { readonly index: number; readonly pattern: Pattern }[] = [];
  for (const [index, text] of patterns.entries()) {
    const pattern = parsePattern(text);
    if ('wrong' in pattern) throw new RangeError(`the pattern "${text}" ${pattern.wrong}`);
    if (pattern.isExact) exact.push(index);
    else open.push({ index, pattern });
  }
  const numbers = Int32Array.from(exact);
  if (open.length === 0) return { exact: numbers, next: new Int32Array(), winners: new Int32Array() };
  const made = automaton(open.map(({ pattern }) => pattern));
  if (made === null) throw new RangeError('the patterns are too tangled');
  const narrower = relations(made.accepts, open.length);
  const winners = Int32Array.from(made.accepts, (accepted) => {
    const winner = narrowest(accepted, narrower);
    return winner === null ? -1 : open[winner]!.index;
  });
  return { exact: numbers, next: made.next, winners };
}

/**
 * Finds the pattern that a number fits. An exact number goes before every pattern, and of two patterns the narrower one:
 * the one all of whose numbers fit the other too.
 */
export class PatternSet {
  readonly #exact = new Map<string, number>();
  readonly #next: Int32Array;
  readonly #winners: Int32Array;

  private constructor({ next, winners }: PatternTables) {
    this.#next = next;
    this.#winners = winners;
  }

  static *of(patterns: readonly string[], tables: PatternTables): Work<PatternSet> {
    const set = new PatternSet(tables);
    for (const [i, index] of tables.exact.entries()) {
      set.#exact.set(exactNumber(patterns[index]!), index);
      if (i % STEP_ITEMS === STEP_ITEMS - 1) yield;
    }
    return set;
  }

  /** Index of the pattern that the number fits. */
  match(number: string): number | undefined {
    const exact = this.#exact.get(number);
    if (exact !== undefined || this.#winners.length === 0) return exact;
    const winner = this.#winners[runAutomaton(this.#next, number)]!;
    return winner < 0 ? undefined : winner;
  }
}

/** Of patterns without a fault, in one go. */
export function patternSet(patterns: readonly string[]): PatternSet {
  return inOneGo(PatternSet.of(patterns, patternTables(patterns)));
}

const MAX_FAULTS = 20;
/** So many patterns that one number fits tell nobody anything. */
const MAX_DEPTH = 32;

/** Everything that is wrong with a set of patterns; an empty answer: `PatternSet` takes it. */
export function patternFaults(patterns: readonly string[]): readonly PatternFault[] {
  const faults: PatternFault[] = [];
  const exact = new Map<string, number>();
  const open: { readonly index: number; readonly pattern: Pattern }[] = [];
  for (const [index, text] of patterns.entries()) {
    const pattern = parsePattern(text);
    if ('wrong' in pattern) {
      faults.push({ kind: 'wrong', pattern: index, why: pattern.wrong });
    } else if (!pattern.isExact) {
      open.push({ index, pattern });
    } else {
      const number = exactNumber(text);
      const other = exact.get(number);
      if (other !== undefined) faults.push({ kind: 'same', pattern: index, other });
      exact.set(number, index);
    }
  }
  if (faults.length > 0 || open.length === 0) return faults.slice(0, MAX_FAULTS);
  const made = automaton(open.map(({ pattern }) => pattern));
  const deep = made?.accepts.find((accepted) => accepted.length > MAX_DEPTH);
  if (made === null || deep) return [{ kind: 'tangled', pattern: open[deep?.[0] ?? 0]!.index }];
  const at = (index: number) => open[index]!.index;
  const overlaps = overlapFaults(made, open.length).map((fault): PatternFault => {
    return { ...fault, pattern: at(fault.pattern), other: at(fault.other) };
  });
  faults.push(...overlaps, ...shadowedByNumbers(made, open, exact));
  return faults.slice(0, MAX_FAULTS);
}

type Overlap = Extract<PatternFault, { kind: 'same' | 'conflict' | 'shadowed' }>;

function overlapFaults(made: Automaton, count: number): Overlap[] {
  const { accepts } = made;
  const narrower = relations(accepts, count);
  const faults = new Map<string, Overlap>();
  const wins = new Set<number>();
  for (const [state, accepted] of accepts.entries()) {
    const winner = narrowest(accepted, narrower);
    if (winner !== null) wins.add(winner);
    else if (accepted.length > 1) addConflict(accepted, narrower, made.example(state), faults);
  }
  // A conflict or a twin says already why a pattern never wins.
  const told = new Set([...faults.values()].flatMap(({ pattern, other }) => [pattern, other]));
  for (const accepted of accepts) {
    const winner = narrowest(accepted, narrower);
    for (const pattern of accepted) {
      if (winner === null || wins.has(pattern) || told.has(pattern)) continue;
      faults.set(`${pattern}`, { kind: 'shadowed', pattern, other: winner });
    }
  }
  return [...faults.values()];
}

function addConflict(
  accepted: readonly number[],
  isNarrower: (a: number, b: number) => boolean,
  example: string,
  faults: Map<string, Overlap>,
): void {
  for (const [i, a] of accepted.entries()) {
    for (const b of accepted.slice(i + 1)) {
      const [ab, ba] = [isNarrower(a, b), isNarrower(b, a)];
      if (ab !== ba || faults.has(`${a} ${b}`) || faults.size >= MAX_FAULTS) continue;
      // The later one is at fault.
      const pair = { pattern: b, other: a };
      faults.set(`${a} ${b}`, ab ? { kind: 'same', ...pair } : { kind: 'conflict', ...pair, example });
    }
  }
}

/** Whether all numbers of a fit b too. */
function relations(accepts: readonly (readonly number[])[], count: number): (a: number, b: number) => boolean {
  const own = new Int32Array(count);
  const both = new Map<number, number>();
  for (const accepted of accepts) {
    for (const a of accepted) {
      own[a]!++;
      for (const b of accepted) if (a !== b) both.set(a * count + b, (both.get(a * count + b) ?? 0) + 1);
    }
  }
  return (a, b) => both.get(a * count + b) === own[a];
}

/** The one that is narrower than each of the others, if there is such a one. */
function narrowest(accepted: readonly number[], isNarrower: (a: number, b: number) => boolean): number | null {
  const winners = accepted.filter((a) => accepted.every((b) => a === b || (isNarrower(a, b) && !isNarrower(b, a))));
  return winners[0] ?? null;
}

/** A pattern of few numbers, each of which is written out elsewhere. */
function shadowedByNumbers(
  made: Automaton,
  open: readonly { readonly index: number; readonly pattern: Pattern }[],
  exact: ReadonlyMap<string, number>,
): PatternFault[] {
  const taken = new Map<number, { readonly count: number; readonly first: number }>();
  for (const [number, index] of exact) {
    for (const pattern of made.accepts[made.run(number)]!) {
      const { count, first } = taken.get(pattern) ?? { count: 0, first: index };
      taken.set(pattern, { count: count + 1, first });
    }
  }
  return [...taken].flatMap(([pattern, { count, first }]): PatternFault[] => {
    const { index, pattern: whole } = open[pattern]!;
    return count < sizeOf(whole) ? [] : [{ kind: 'shadowed', pattern: index, other: first }];
  });
}

function sizeOf({ rows, isOpen }: Pattern): number {
  if (isOpen) return Number.POSITIVE_INFINITY;
  return rows.reduce((sum, row) => sum + row.reduce((product, set) => product * ones(set), 1), 0);
}

function ones(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** "2101-2101" is 2101. */
function exactNumber(text: string): string {
  const dash = text.indexOf('-');
  return dash < 0 ? text : text.slice(0, dash);
}
