import { z } from 'zod';
import { holiday } from '../../core/time/index.ts';
import { minuteOf, weekdays, wrong } from './words.ts';

/** Opening hours as a document writes them. */

const daySpans = z
  .union([z.string(), z.array(z.string())])
  .meta({ description: 'write 08:00-17:00, or a list: [08:00-12:00, 13:00-17:00]' });

const exception = z.strictObject({
  name: z.string().max(80).meta({ description: 'what day it is: Thanksgiving' }),
  open: daySpans.meta({ description: 'hours of this day; without them it is closed: 10:00-14:00' }).optional(),
});

/** Weekdays with their hours; `except` names days on which other hours count. */
export const hours = z
  .object({
    zone: z.string().meta({ description: 'whose clock: America/Chicago; without it that of the site' }).optional(),
    except: z
      .record(z.string(), exception)
      .meta({ description: 'other days: {12-25: {name: Christmas}, "4 thu nov": {name: Thanksgiving}}' })
      .optional(),
  })
  .catchall(daySpans)
  .superRefine((written, context) => {
    for (const [days, spans] of Object.entries(weekdaysIn(written))) {
      if (weekdaysOf(days) === null) context.addIssue(wrong([days], `"${days}" is no weekday`, 'write mon or mon-fri'));
      for (const fault of spanFaults([days], spans)) context.addIssue(fault);
    }
    for (const [day, { open }] of Object.entries(written.except ?? {})) {
      if (holiday(day) === null) context.addIssue(wrong(['except', day], `"${day}" is no day`, DAY_FORM));
      for (const fault of spanFaults(['except', day, 'open'], open)) context.addIssue(fault);
    }
  })
  .meta({ description: 'hours by weekday: {mon-fri: 08:00-17:00}' });

const DAY_FORM =
  'write a date of this century as 2026-12-24, 12-25 for every year, "4 thu nov", "last mon may", easter or easter-2';

export type WrittenHours = z.infer<typeof hours>;

/** The weekdays, without what else hours may say. */
export function weekdaysIn({ zone: _zone, except: _except, ...days }: WrittenHours): Record<string, string | string[]> {
  return days;
}

function spanFaults(path: string[], spans: string | string[] | undefined) {
  const all = spans === undefined ? [] : [spans].flat();
  return all.flatMap((span) =>
    minutesOf(span) === null
      ? [wrong(path, `"${span}" is no time of day`, 'write 08:00-17:00; split hours at midnight')]
      : [],
  );
}

/** "mon" or "mon-fri" as ISO weekdays; "fri-mon" goes over the week-end. */
export function weekdaysOf(written: string): readonly number[] | null {
  const [from, to = from, ...rest] = written.split('-').map((day) => weekdays.indexOf(day as 'mon'));
  if (from === undefined || to === undefined || rest.length > 0 || from < 0 || to < 0) return null;
  const length = ((to - from + 7) % 7) + 1;
  return Array.from({ length }, (_, i) => ((from + i) % 7) + 1);
}

/** "08:00-17:00" in minutes after midnight. */
export function minutesOf(span: string): { readonly fromMinute: number; readonly toMinute: number } | null {
  const [from, to, ...rest] = span.split('-').map(minuteOf);
  if (typeof from !== 'number' || typeof to !== 'number' || rest.length > 0 || from >= to) return null;
  return { fromMinute: from, toMinute: to };
}
