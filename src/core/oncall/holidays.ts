import { plusDays, type Wall, weekdayOf } from '../time/index.ts';
import type { HolidayCalendar, HolidayRule } from './rules.ts';

/** Midnight of each holiday from the first year to the last, in order, each once. */
export function holidayDates(calendar: HolidayCalendar, firstYear: number, lastYear: number): readonly Wall[] {
  const dates = new Set<Wall>();
  for (let year = firstYear; year <= lastYear; year++) {
    for (const rule of calendar.days) {
      const date = dateIn(rule, year);
      if (date !== null) dates.add(date);
    }
  }
  return [...dates].sort((a, b) => a - b);
}

function dateIn(rule: HolidayRule, year: number): Wall | null {
  switch (rule.kind) {
    case 'date':
      return Number(rule.date.slice(0, 4)) === year ? (Date.parse(`${rule.date}T00:00Z`) as Wall) : null;
    case 'yearly': {
      const date = midnight(year, rule.month, rule.day);
      // 29 February is one in leap years only.
      return new Date(date).getUTCMonth() === rule.month - 1 ? date : null;
    }
    case 'weekday':
      return nthWeekday(rule, year);
    case 'easter':
      return plusDays(easter(year), rule.plusDays);
  }
}

function nthWeekday({ nth, weekday, month }: Extract<HolidayRule, { kind: 'weekday' }>, year: number): Wall | null {
  if (nth < 0) {
    const last = midnight(year, month + 1, 0);
    return plusDays(last, -((weekdayOf(last) - weekday + 7) % 7));
  }
  const first = midnight(year, month, 1);
  const date = plusDays(first, ((weekday - weekdayOf(first) + 7) % 7) + 7 * (nth - 1));
  return new Date(date).getUTCMonth() === month - 1 ? date : null;
}

/** Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher). */
function easter(year: number): Wall {
  const a = year % 19;
  const century = Math.floor(year / 100);
  const inCentury = year % 100;
  const leapCenturies = Math.floor(century / 4);
  const moonShift = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const epact = (19 * a + century - leapCenturies - moonShift + 15) % 30;
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(inCentury / 4) - epact - (inCentury % 4)) % 7;
  const late = Math.floor((a + 11 * epact + 22 * toSunday) / 451);
  const days = epact + toSunday - 7 * late + 114;
  return midnight(year, Math.floor(days / 31), (days % 31) + 1);
}

function midnight(year: number, month: number, day: number): Wall {
  return Date.UTC(year, month - 1, day) as Wall;
}
