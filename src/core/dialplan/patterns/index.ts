export { NumberTable } from './number-table.ts';
export { exampleOf, parsePattern, type Pattern } from './pattern.ts';
export { type PatternFault, patternFaults, PatternSet } from './pattern-set.ts';
