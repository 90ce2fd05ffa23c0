import { type Instant, isHoliday, minuteOfDay, type Wall, weekdayOf, type Zone } from '../time/index.ts';
import type { OpeningHours } from './model.ts';

/** Whether the clock on the wall stands within the hours of this day. */
export function isOpenAt(hours: OpeningHours, zone: Zone, at: Instant): boolean {
  const wall = zone.toWall(at);
  const minute = minuteOfDay(wall);
  const { weekly } = hours;
  const spans = exceptionOn(hours, wall)?.spans ?? weekly.filter(({ weekday }) => weekday === weekdayOf(wall));
  return spans.some((span) => span.fromMinute <= minute && minute < span.toMinute);
}

/** "Christmas", on a day on which other hours count. */
export function specialDayAt(hours: OpeningHours, zone: Zone, at: Instant): string | null {
  return exceptionOn(hours, zone.toWall(at))?.name ?? null;
}

function exceptionOn({ except = [] }: OpeningHours, wall: Wall) {
  return except.find(({ on }) => isHoliday(on, wall));
}
