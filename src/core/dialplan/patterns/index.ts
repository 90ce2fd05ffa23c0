export { NumberTable, sizeOf } from './number-table.ts';
export { exampleOf, parsePattern, type Pattern } from './pattern.ts';
export {
  type PatternFault,
  patternFaults,
  PatternSet,
  patternSet,
  type PatternTables,
  patternTables,
} from './pattern-set.ts';
