import type { HolidayRule } from '../../core/oncall/index.ts';
import { weekdays } from './words.ts';

type When = HolidayRule extends infer Rule ? (Rule extends HolidayRule ? Omit<Rule, 'name'> : never) : never;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const NTH = ['1st', '2nd', '3rd', '4th', '5th'];

/** "2026-12-24", "12-25", "4th thu of nov", "last mon of may", "easter + 1"; null for anything else. */
export function holidayOf(written: string): When | null {
  const words = written.trim().split(/\s+/);
  if (/^\d{4}-\d{2}-\d{2}$/.test(written)) return { kind: 'date', date: written };
  if (/^\d{2}-\d{2}$/.test(written)) return yearly(Number(written.slice(0, 2)), Number(written.slice(3)));
  if (words[0] === 'easter') return easter(words.slice(1).join(''));
  const [which, day, of, month, ...rest] = words;
  const nth = which === 'last' ? -1 : NTH.indexOf(which ?? '') + 1;
  const weekday = weekdays.indexOf(day as 'mon') + 1;
  const monthNumber = MONTHS.indexOf(month ?? '') + 1;
  if (nth === 0 || weekday === 0 || of !== 'of' || monthNumber === 0 || rest.length > 0) return null;
  return { kind: 'weekday', nth, weekday, month: monthNumber };
}

function yearly(month: number, day: number): When | null {
  // 2024 had a 29 February.
  const date = new Date(Date.UTC(2024, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? { kind: 'yearly', month, day } : null;
}

function easter(plus: string): When | null {
  if (plus === '') return { kind: 'easter', plusDays: 0 };
  return /^[+-]\d{1,2}$/.test(plus) ? { kind: 'easter', plusDays: Number(plus) } : null;
}
