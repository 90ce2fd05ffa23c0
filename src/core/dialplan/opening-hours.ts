import { type Instant, minuteOfDay, weekdayOf, type Zone } from '../time/index.ts';
import { isHoliday } from './holidays.ts';
import type { OpeningHours } from './model.ts';

/** Whether the clock on the wall stands within the hours of this day. */
export function isOpenAt({ weekly, except = [] }: OpeningHours, zone: Zone, at: Instant): boolean {
  const wall = zone.toWall(at);
  const minute = minuteOfDay(wall);
  const exception = except.find(({ on }) => isHoliday(on, wall));
  const spans = exception?.spans ?? weekly.filter(({ weekday }) => weekday === weekdayOf(wall));
  return spans.some((span) => span.fromMinute <= minute && minute < span.toMinute);
}
