import { holidayIn, type Wall } from '../time/index.ts';
import type { HolidayCalendar } from './rules.ts';

/** Midnight of each holiday from the first year to the last, in order, each once. */
export function holidayDates(calendar: HolidayCalendar, firstYear: number, lastYear: number): readonly Wall[] {
  const dates = new Set<Wall>();
  for (let year = firstYear; year <= lastYear; year++) {
    for (const rule of calendar.days) {
      const date = holidayIn(rule, year);
      if (date !== null) dates.add(date);
    }
  }
  return [...dates].sort((a, b) => a - b);
}
