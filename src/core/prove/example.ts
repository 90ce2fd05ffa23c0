import { type Instant, plusMs, type Span } from '../time/index.ts';
import { aCaller } from './findings.ts';
import { type CounterExample, patienceMs } from './model.ts';
import type { Terrain } from './terrain.ts';
import { type ChainUse, dialsIn } from './way.ts';

/** A call that comes to a place by the way that was walked there. */

/** When to dial to come to a place in one of these spans. */
export function arrivalFor(
  { turn, ...read }: Pick<ChainUse, 'readPlayedMs' | 'openedPlayedMs' | 'turn'>,
  spans: readonly Span[],
): Instant {
  // Where something opens or closes on the way, the call comes by at that very instant.
  if (turn !== null) return plusMs(turn.at[0]!, -turn.playedMs);
  const dials = spans.map((span) => dialsIn(span, read));
  // At the change itself rather than a little before, where that is possible.
  const at = dials.findIndex(({ to }, i) => spans[i]!.from < to);
  return at >= 0 ? spans[at]!.from : (dials.find(({ from, to }) => from < to) ?? dials[0]!).from;
}

/** A phone outside that is picked up by something which presses nothing; it has rung before as often as this way says. */
export function machineAt(
  { forwarded }: Pick<ChainUse, 'forwarded'>,
  phone: string,
  afterMs: number,
): CounterExample['machines'][number] {
  return { phone, afterMs, ringsBefore: forwarded.filter((one) => one === phone).length };
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
    : (caller.alike.find((phone) => !rung.includes(phone)) ?? caller.from);
  const about = { service: null, step: null, limitMs: patienceMs };
  const { number, trunk } = caller;
  const { dialled: to } = entry;
  return { from, number, trunk, to, at, keys, unregistered: [], machines: [], answers, path, about };
}
