import { type Pattern, type SymbolSet, symbolOf, symbols, TAIL } from './pattern.ts';

/**
 * Patterns as one deterministic automaton: a look-up is a step for each character of the number, however many patterns
 * there are. Made by the subset construction; no backtracking, and a bound on the work.
 */
export interface Automaton {
  /** `next[state * symbols.length + symbol]`; state 0 is dead, state 1 the start. */
  readonly next: Int32Array<ArrayBuffer>;
  /** Patterns that accept in each state, by index. */
  readonly accepts: readonly (readonly number[])[];
  /** A shortest number that leads to the state. */
  example(state: number): string;
  /** State after the number; 0 when nothing fits. */
  run(number: string): number;
}

/** Patterns that can be told apart need about a step for each of their characters. */
function stepsFor(rows: readonly Row[]): number {
  return 100_000 + 40 * rows.reduce((sum, { sets }) => sum + sets.length, 0);
}

/** A row of a pattern, and how many of its characters are seen; behind the last, an open row may go round. */
interface Row {
  readonly pattern: number;
  readonly sets: readonly SymbolSet[];
  readonly isOpen: boolean;
}

/** null when the patterns are so tangled that the automaton would be too big. */
export function automaton(patterns: readonly Pattern[]): Automaton | null {
  const rows = patterns.flatMap(({ rows: sets, isOpen }, pattern): Row[] =>
    sets.map((row) => ({ pattern, sets: isOpen ? [...row, TAIL] : row, isOpen })),
  );
  let steps = stepsFor(rows);
  const states: (readonly number[])[] = [[], rows.map((_, row) => row * STRIDE)];
  const known = new Map<string, number>([
    ['', 0],
    [states[1]!.join(), 1],
  ]);
  const from: { readonly state: number; readonly symbol: number }[] = [NOWHERE, NOWHERE];
  const edges: number[] = Array.from({ length: symbols.length }, () => 0);
  for (let state = 1; state < states.length; state++) {
    // By symbol; most states are left by one or by ten of them, with the same items.
    const moved: (number[] | undefined)[] = [];
    steps -= states[state]!.length;
    if (steps < 0) return null;
    for (const item of states[state]!) move(rows, item, moved);
    for (let symbol = 0; symbol < symbols.length; symbol++) {
      const items = moved[symbol];
      if (items === undefined) {
        edges.push(0);
        continue;
      }
      const key = items.join();
      let target = known.get(key);
      if (target === undefined) {
        target = states.push(items) - 1;
        known.set(key, target);
        from.push({ state, symbol });
      }
      edges.push(target);
    }
  }
  const next = Int32Array.from(edges);
  return {
    next,
    accepts: states.map((items) => acceptedBy(rows, items)),
    example(state) {
      let number = '';
      for (let here = state; here > 1; here = from[here]!.state) number = symbols[from[here]!.symbol] + number;
      return number;
    },
    run: (number) => runAutomaton(next, number),
  };
}

/** State after the number; 0 when nothing fits. */
export function runAutomaton(next: Int32Array, number: string): number {
  let state = 1;
  for (let i = 0; i < number.length && state !== 0; i++) {
    const symbol = symbolOf(number[i]!);
    state = symbol < 0 ? 0 : next[state * symbols.length + symbol]!;
  }
  return state;
}

/** An item is row * STRIDE + characters seen; rows are shorter than that. */
const STRIDE = 32;
const NOWHERE = { state: 0, symbol: 0 };

function move(rows: readonly Row[], item: number, moved: (number[] | undefined)[]): void {
  const { sets, isOpen } = rows[Math.floor(item / STRIDE)]!;
  const seen = item % STRIDE;
  const isRound = seen === sets.length;
  if (isRound && !isOpen) return;
  const set = isRound ? TAIL : sets[seen]!;
  const after = isRound ? item : item + 1;
  for (let symbol = 0; symbol < symbols.length; symbol++) {
    if ((set >> symbol) & 1) (moved[symbol] ??= []).push(after);
  }
}

function acceptedBy(rows: readonly Row[], items: readonly number[]): readonly number[] {
  const accepted = new Set<number>();
  for (const item of items) {
    const { pattern, sets } = rows[Math.floor(item / STRIDE)]!;
    if (item % STRIDE === sets.length) accepted.add(pattern);
  }
  return [...accepted];
}
