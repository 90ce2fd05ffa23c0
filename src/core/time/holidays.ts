import { plusDays, showWall, type Wall, wall, weekdayOf } from './wall.ts';

/** A day, or the same day of every year, by the calendar on the wall. */
export type Holiday =
  /** "2026-12-24" */
  | { readonly kind: 'date'; readonly date: string }
  /** Every year. */
  | { readonly kind: 'yearly'; readonly month: number; readonly day: number }
  /** The nth weekday of a month, 1 … 5; -1 is the last. Thanksgiving is 4, Thursday, November. */
  | { readonly kind: 'weekday'; readonly nth: number; readonly weekday: number; readonly month: number }
  /** Days after Easter Sunday of the western churches: -2 is Good Friday. */
  | { readonly kind: 'easter'; readonly plusDays: number };

/** Midnight of the holiday in a year; null when this year has none: 29 February, a fifth Thursday. */
export function holidayIn(holiday: Holiday, year: number): Wall | null {
  switch (holiday.kind) {
    case 'date':
      return Number(holiday.date.slice(0, 4)) === year ? wall(holiday.date) : null;
    case 'yearly':
      return inMonth(midnight(year, holiday.month, holiday.day), holiday.month);
    case 'weekday':
      return nthWeekday(holiday, year);
    case 'easter':
      return plusDays(easterSunday(year), holiday.plusDays);
  }
}

/** Whether the holiday falls on the calendar day of `at`. */
export function isHoliday(holiday: Holiday, at: Wall): boolean {
  const date = holidayIn(holiday, new Date(at).getUTCFullYear());
  return date !== null && date <= at && at < plusDays(date, 1);
}

/**
 * "2026-12-24", "12-25", "4 thu nov", "4th thu of nov", "last mon may", "easter", "easter-2", "easter + 1"; null when
 * it is none of these.
 */
export function holiday(written: string): Holiday | null {
  if (written.length > 20) return null;
  if (wall(written) !== null && written.length === 10) {
    // Before, no version of this program ran; after, a date is a slip of the finger.
    return written.startsWith('20') ? { kind: 'date', date: written } : null;
  }
  const yearly = /^([0-9]{2})-([0-9]{2})$/.exec(written);
  // A leap year, so that 29 February is a day.
  if (yearly) return wall(`2024-${written}`) === null ? null : { kind: 'yearly', month: +yearly[1]!, day: +yearly[2]! };
  const easter = /^easter(?: ?([+-]) ?([0-9]{1,2}))?$/.exec(written);
  if (easter) return { kind: 'easter', plusDays: Number(`${easter[1] ?? ''}${easter[2] ?? 0}`) };
  const [, nth, day = '', month = ''] =
    /^(1st|2nd|3rd|4th|5th|[1-5]|last) ([a-z]{3}) (?:of )?([a-z]{3})$/.exec(written) ?? [];
  if (nth === undefined || !weekdays.includes(day) || !months.includes(month)) return null;
  const count = nth === 'last' ? -1 : Number(nth[0]);
  return { kind: 'weekday', nth: count, weekday: weekdays.indexOf(day) + 1, month: months.indexOf(month) + 1 };
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

function nthWeekday({ nth, weekday, month }: Extract<Holiday, { kind: 'weekday' }>, year: number): Wall | null {
  if (nth < 0) {
    const last = midnight(year, month + 1, 0);
    return plusDays(last, -((weekdayOf(last) - weekday + 7) % 7));
  }
  const first = midnight(year, month, 1);
  return inMonth(plusDays(first, ((weekday - weekdayOf(first) + 7) % 7) + 7 * (nth - 1)), month);
}

/** The anonymous Gregorian computus, as Meeus gives it. */
function easterSunday(year: number): Wall {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 19 * l) / 433);
  const month = Math.floor((h + l - 7 * m + 90) / 25);
  return midnight(year, month, (h + l - 7 * m + 33 * month + 19) % 32);
}

function inMonth(date: Wall, month: number): Wall | null {
  return Number(showWall(date).slice(5, 7)) === month ? date : null;
}

function midnight(year: number, month: number, day: number): Wall {
  return Date.UTC(year, month - 1, day) as Wall;
}
