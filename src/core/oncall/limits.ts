import { joined, minuteOfDay, type Span, type Wall, weekdayOf, type Zone } from '../time/index.ts';
import { daysAround, stretchOn, yearOf } from './hand-offs.ts';
import { holidayDates } from './holidays.ts';
import type { HolidayCalendar, Limits, WeeklyStretch } from './rules.ts';

const WHOLE_DAY = { fromMinute: 0, toMinute: 1_440 };

/** When a rule with these limits answers, around a span; null when it always does. */
export function spansOfLimits(
  { during, holidays }: Limits,
  calendar: (id: string) => HolidayCalendar | undefined,
  zone: Zone,
  within: Span,
): readonly Span[] | null {
  if (during === undefined && holidays === undefined) return null;
  const isOn = holidays === undefined ? () => true : dayFilter(holidays, calendar, zone, within);
  const spans: Span[] = [];
  for (const day of daysAround(within, zone)) {
    if (!isOn(day)) continue;
    if (during === undefined) spans.push(stretchOn(day, WHOLE_DAY, zone));
    for (const stretch of during ?? []) {
      if (stretch.weekday === weekdayOf(day)) spans.push(stretchOn(day, stretch, zone));
    }
  }
  return joined(spans);
}

function dayFilter(
  { calendar: id, answers }: NonNullable<Limits['holidays']>,
  calendar: (id: string) => HolidayCalendar | undefined,
  zone: Zone,
  within: Span,
): (day: Wall) => boolean {
  const known = calendar(id);
  if (known === undefined) throw new RangeError(`no such holiday calendar: ${id}`);
  // The days around a span reach a day or two into the years beside it.
  const dates = new Set(holidayDates(known, yearOf(zone.toWall(within.from)) - 1, yearOf(zone.toWall(within.to)) + 1));
  return (day) => dates.has(day) === (answers === 'only');
}

/** Whether a clock on the wall stands within one of the stretches. */
export function isWithin(stretches: readonly WeeklyStretch[], at: Wall): boolean {
  const minute = minuteOfDay(at);
  const today = weekdayOf(at);
  const yesterday = ((today + 5) % 7) + 1;
  return stretches.some(({ weekday, fromMinute, toMinute }) => {
    if (weekday === today && fromMinute <= minute && minute < toMinute) return true;
    return weekday === yesterday && minute + 1_440 < toMinute;
  });
}
