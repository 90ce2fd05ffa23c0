import { type Instant, plusMs, type Span } from '../time/index.ts';
import { aCaller } from './findings.ts';
import { type CounterExample, patienceMs } from './model.ts';
import type { Terrain } from './terrain.ts';
import type { ChainUse } from './way.ts';

/** A call that comes to a place by the way that was walked there. */

/** When to dial to come to a place in one of these spans. */
export function arrivalFor(
  { readPlayedMs, turn }: Pick<ChainUse, 'readPlayedMs' | 'turn'>,
  spans: readonly Span[],
): Instant {
  // Where something opens or closes on the way, the call comes by at that very instant.
  if (turn !== null) return plusMs(turn.at[0]!, -turn.playedMs);
  const { from, to } = spans[0]!;
  return from + readPlayedMs < to ? from : plusMs(from, -readPlayedMs);
}

export function exampleOf(
  { plan }: Terrain,
  {
    entry,
    caller,
    keys,
    answers,
    rung,
    path,
  }: Pick<ChainUse, 'entry' | 'caller' | 'keys' | 'answers' | 'rung' | 'path'>,
  at: Instant,
): CounterExample {
  const from = caller.isAnybody
    ? aCaller(plan, (extension) => extension === entry.dialled || rung.includes(extension))
    : caller.from;
  const about = { service: null, step: null, limitMs: patienceMs };
  const { number, trunk } = caller;
  const { dialled: to } = entry;
  return { from, number, trunk, to, at, keys, unregistered: [], machines: [], answers, path, about };
}
