import { daysBetween, plusDays, showWall, type Wall, wall, weekdayOf } from '../time/index.ts';

/** A day, or the same day of every year, by the calendar on the wall. */
export type Holiday =
  /** "2026-12-24" */
  | { readonly kind: 'date'; readonly date: string }
  /** "12-25": every year. */
  | { readonly kind: 'yearly'; readonly month: number; readonly day: number }
  /** The nth weekday of a month; -1 is the last: Thanksgiving is 4, Thursday, November. */
  | { readonly kind: 'nth'; readonly nth: number; readonly weekday: number; readonly month: number }
  /** Days after Easter Sunday of the western churches: -2 is Good Friday. */
  | { readonly kind: 'easter'; readonly plusDays: number };

/** Whether the holiday falls on the calendar day of `at`. */
export function isHoliday(holiday: Holiday, at: Wall): boolean {
  const today = showWall(at).slice(0, 10);
  const [year, month, day] = today.split('-').map(Number) as [number, number, number];
  switch (holiday.kind) {
    case 'date':
      return holiday.date === today;
    case 'yearly':
      return holiday.month === month && holiday.day === day;
    case 'nth': {
      if (holiday.month !== month || weekdayOf(at) !== holiday.weekday) return false;
      if (holiday.nth > 0) return Math.ceil(day / 7) === holiday.nth;
      return Number(showWall(plusDays(at, 7)).slice(5, 7)) !== month;
    }
    default:
      return daysBetween(easterSunday(year), at) === holiday.plusDays;
  }
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
  const day = (h + l - 7 * m + 33 * month + 19) % 32;
  return wall(`${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`)!;
}

/**
 * "2026-12-24", "12-25", "4 thu nov", "last mon may", "easter", "easter-2", "easter+1"; null when it is none of these.
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
  const easter = /^easter([+-][0-9]{1,2})?$/.exec(written);
  if (easter) return { kind: 'easter', plusDays: Number(easter[1] ?? 0) };
  const [nth, day, name, ...rest] = written.split(' ');
  const weekday = weekdays.indexOf(day ?? '') + 1;
  const month = months.indexOf(name ?? '') + 1;
  const which = nth === 'last' ? -1 : ['1', '2', '3', '4'].indexOf(nth ?? '') + 1;
  if (weekday === 0 || month === 0 || which === 0 || rest.length > 0) return null;
  return { kind: 'nth', nth: which, weekday, month };
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
