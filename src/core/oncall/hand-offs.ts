import { daysBetween, type Instant, plusDays, type Span, wall, type Wall, type Zone } from '../time/index.ts';
import { holidayDates } from './holidays.ts';
import type { DailyRotation, HolidayCalendar, HolidayRotation, HourlyRotation } from './rules.ts';

export type Rotation = DailyRotation | HourlyRotation;

/** One turn of a rotation: `turn` counts from 0 at `since` and names whose turn it is. */
export interface Turn extends Span {
  readonly turn: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

/**
 * The turns of a rotation that touch a span, in order, without gap or overlap. Turns are counted on the wall clock and
 * only then turned into instants, so that a night on which clocks change moves a hand-off but never the order.
 * Two hand-offs that fall on the same instant (an hour or a day that is skipped) leave no turn between them.
 */
export function turnsWithin(rotation: Rotation, zone: Zone, within: Span): Turn[] {
  const since = wallOf(rotation.since);
  const lengthMs = rotation.kind === 'rotation' ? rotation.everyDays * DAY_MS : rotation.everyHours * HOUR_MS;
  const handOff = (turn: number): Instant => zone.toInstant((since + turn * lengthMs) as Wall);
  // A day early: where the wall clock was turned back, a turn that has ended by it has not ended by the instant.
  const estimate = Math.floor((zone.toWall(within.from) - since - DAY_MS) / lengthMs);
  const turns: Turn[] = [];
  for (let turn = Math.max(0, estimate), from = handOff(turn); from < within.to; turn++) {
    const to = handOff(turn + 1);
    if (to > from && to > within.from) turns.push({ turn, from, to });
    from = to;
  }
  return turns;
}

/** Each holiday of the calendar from `since` on is a turn. */
export function holidayTurnsWithin(
  rotation: HolidayRotation,
  calendar: HolidayCalendar,
  zone: Zone,
  within: Span,
): Turn[] {
  const since = wallOf(rotation.since);
  const lastYear = yearOf(zone.toWall(within.to));
  const dates = holidayDates(calendar, yearOf(since), lastYear).filter((date) => daysBetween(since, date) >= 0);
  return dates
    .map((date, turn) => ({ turn, ...stretchOn(date, rotation, zone) }))
    .filter(({ from, to }) => from < to && to > within.from && from < within.to);
}

/** From one minute of a day to another, which may lie on the day after. */
export function stretchOn(date: Wall, minutes: { fromMinute: number; toMinute: number }, zone: Zone): Span {
  return {
    from: zone.toInstant((date + minutes.fromMinute * MINUTE_MS) as Wall),
    to: zone.toInstant((date + minutes.toMinute * MINUTE_MS) as Wall),
  };
}

/** Whose turn it is, by position in the rotation. */
export function holderOf(people: readonly unknown[], turn: number): number {
  return turn % people.length;
}

export function yearOf(at: Wall): number {
  return new Date(at).getUTCFullYear();
}

/** Midnight of every day that can have to do with a span, in order. */
export function* daysAround(within: Span, zone: Zone): Generator<Wall> {
  const end = plusDays(zone.toWall(within.to), 1);
  const start = plusDays(zone.toWall(within.from), -2);
  for (let day = (Math.floor(start / DAY_MS) * DAY_MS) as Wall; day < end; day = plusDays(day, 1)) yield day;
}

/** Throws RangeError for what `checkRoster` refuses. */
export function wallOf(text: string): Wall {
  const read = wall(text);
  if (read === null) throw new RangeError(`no such wall time: ${text}`);
  return read;
}
