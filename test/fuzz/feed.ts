import { Dice, Mutator } from './mutator.ts';
import type { Target } from './targets.ts';

/** More than that for one input is somebody's way to keep us busy. */
const longestMs = 5;

export type Fed =
  | { readonly kind: 'fed'; readonly slowestMs: number }
  | { readonly kind: 'failed'; readonly why: string; readonly bytes: Buffer };

/** Feeds a target with so many mutations; stops at the first that breaks it. */
export function feed({ seeds, eat }: Target, executions: number, seed: number): Fed {
  const mutator = new Mutator(seeds(), new Dice(seed));
  let slowestMs = 0;
  for (let i = 0; i < executions; i++) {
    const bytes = mutator.next();
    const why = faultOf(eat, bytes);
    if (why.fault !== undefined) return { kind: 'failed', why: why.fault, bytes };
    slowestMs = Math.max(slowestMs, why.ms);
  }
  return { kind: 'fed', slowestMs };
}

/** What an input does to a target. The time is the shortest of several, so that other programs do not count. */
export function faultOf(
  eat: Target['eat'],
  bytes: Buffer,
): { readonly fault: string | undefined; readonly ms: number } {
  let ms = Infinity;
  for (let attempt = 0; attempt < 20 && ms > longestMs; attempt++) {
    const startedAt = performance.now();
    try {
      eat(bytes);
    } catch (error) {
      return { fault: (error as Error).stack ?? String(error), ms: 0 };
    }
    ms = Math.min(ms, performance.now() - startedAt);
  }
  return { fault: ms > longestMs ? `takes ${ms.toFixed(1)} ms` : undefined, ms };
}
