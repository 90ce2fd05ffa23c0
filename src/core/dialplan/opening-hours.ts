import { type Instant, minuteOfDay, weekdayOf, type Zone } from '../time/index.ts';
import type { OpeningHours } from './model.ts';

/** Whether the clock on the wall stands within the weekly hours. */
export function isOpenAt(hours: OpeningHours, zone: Zone, at: Instant): boolean {
  const wall = zone.toWall(at);
  const weekday = weekdayOf(wall);
  const minute = minuteOfDay(wall);
  return hours.weekly.some((day) => day.weekday === weekday && day.fromMinute <= minute && minute < day.toMinute);
}
