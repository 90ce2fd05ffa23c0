import { patternFaults, patternSet } from '../../src/core/dialplan/patterns/index.ts';

/**
 * How long it takes to find the pattern that a number fits, by how many patterns there are; `scan` compares with a look
 * at each pattern, one after the other.
 */
export interface PatternsResult {
  readonly patterns: number;
  readonly lookups: number;
  readonly meanUs: number;
  readonly scanMeanUs: number;
  readonly checkMs: number;
  readonly compileMs: number;
}

const SIZES = [10, 100, 1_000, 5_000] as const;

export function benchPatterns(lookups = 200_000): PatternsResult[] {
  measure(100, lookups);
  return SIZES.map((patterns) => measure(patterns, lookups));
}

function measure(count: number, lookups: number): PatternsResult {
  const patterns = Array.from({ length: count }, (_, i) => `+1${String(2_000_000 + i * 13)}!`);
  const numbers = Array.from({ length: 1_000 }, (_, i) => `+1${String(2_000_000 + ((i * 7) % count) * 13)}4567`);
  const check = timeMs(() => patternFaults(patterns));
  let set = patternSet([]);
  const compile = timeMs(() => {
    set = patternSet(patterns);
  });
  let found = 0;
  const took = timeMs(() => {
    for (let i = 0; i < lookups; i++) if (set.match(numbers[i % numbers.length]!) !== undefined) found++;
  });
  if (found !== lookups) throw new Error(`${found} of ${lookups} numbers fit a pattern`);
  const scans = Math.min(lookups, 2_000);
  const scan = timeMs(() => {
    for (let i = 0; i < scans; i++) {
      const number = numbers[i % numbers.length]!;
      if (patterns.findIndex((text) => number.startsWith(text.slice(0, -1))) < 0) throw new Error(number);
    }
  });
  return {
    patterns: count,
    lookups,
    meanUs: round((took * 1_000) / lookups),
    scanMeanUs: round((scan * 1_000) / scans),
    checkMs: round(check),
    compileMs: round(compile),
  };
}

function timeMs(work: () => unknown): number {
  const started = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - started) / 1e6;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
