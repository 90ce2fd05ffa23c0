import { daysBetween, plusDays, type Span, wall, type Wall, type Zone } from '../time/index.ts';
import type { RosterRule } from './model.ts';
import type { Instant } from '../time/index.ts';

export type Rotation = Extract<RosterRule, { kind: 'rotation' }>;

/** One turn of a rotation: `turn` counts from 0 at `since` and names whose turn it is. */
export interface Turn extends Span {
  readonly turn: number;
}

/**
 * The turns of a rotation that touch a span, in order, without gap or overlap. Turns are counted in calendar days and
 * only then turned into instants, so that a night on which clocks change moves a hand-off but never the order.
 * Two hand-offs that fall on the same instant (a zone that skips a day) leave no turn between them.
 */
export function turnsWithin(rotation: Rotation, zone: Zone, within: Span): Turn[] {
  const since = startOf(rotation);
  const handOff = (turn: number): Instant => zone.toInstant(plusDays(since, turn * rotation.everyDays));
  // Where the wall clock was turned back this is one turn early, never late.
  const estimate = Math.floor(daysBetween(since, zone.toWall(within.from)) / rotation.everyDays);
  const turns: Turn[] = [];
  for (let turn = Math.max(0, estimate), from = handOff(turn); from < within.to; turn++) {
    const to = handOff(turn + 1);
    if (to > from && to > within.from) turns.push({ turn, from, to });
    from = to;
  }
  return turns;
}

/** Whose turn it is, by position in the rotation. */
export function holderOf(rotation: Rotation, turn: number): number {
  return turn % rotation.people.length;
}

function startOf(rotation: Rotation): Wall {
  const since = wall(rotation.since);
  if (since === null) throw new RangeError(`no such wall time: ${rotation.since}`);
  return since;
}
