import type { Work } from '../steps/index.ts';
import { PatternSet, type PatternTables, patternTables } from './patterns/index.ts';

/** How laying a plan out comes by the sets of patterns in it; they are asked for in an order that the plan gives. */
export type MakeSet = (patterns: readonly string[]) => Work<PatternSet>;

/** Makes each set itself; its tables go to `keep`. */
export function setsMade(keep: (tables: PatternTables) => void = () => {}): MakeSet {
  return (patterns) => {
    const tables = patternTables(patterns);
    keep(tables);
    return PatternSet.of(patterns, tables);
  };
}

/** Takes tables that were made for the same plan before, in the same order. */
export function setsTaken(all: readonly PatternTables[]): MakeSet {
  const rest = all.values();
  return (patterns) => {
    const tables = rest.next();
    if (tables.done) throw new RangeError('the tables are those of another plan');
    return PatternSet.of(patterns, tables.value);
  };
}
