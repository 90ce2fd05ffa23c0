/**
 * What a clock on the wall shows, as milliseconds since it showed 1970-01-01 00:00. Says nothing about a zone:
 * adding a day is always adding a calendar day, also on the nights when clocks change.
 */
export type Wall = number & { readonly __brand: 'Wall' };

const DAY_MS = 86_400_000;
const WALL_TEXT = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}))?$/;

/** "2026-01-05T08:00", "2026-01-05 08:00" or "2026-01-05" (midnight); null when it is no such date or time. */
export function wall(text: string): Wall | null {
  const parts = WALL_TEXT.exec(text);
  if (!parts) return null;
  const [year, month, day, hour, minute] = parts.slice(1).map((part) => Number(part ?? 0));
  if (hour! > 23 || minute! > 59) return null;
  const ms = Date.UTC(year!, month! - 1, day, hour, minute);
  // Date.UTC rolls 31 February over into March.
  return showWall(ms as Wall).slice(0, 10) === text.slice(0, 10) ? (ms as Wall) : null;
}

/** "2026-11-23 08:00" */
export function showWall(at: Wall): string {
  return showDay(Math.floor(at / DAY_MS)) + showMinute(minuteOfDay(at));
}

/** A cache of pure facts: rosters speak of the same days again and again. */
const days = new Map<number, string>();

/** "2026-11-23 " */
function showDay(day: number): string {
  const known = days.get(day);
  if (known !== undefined) return known;
  const shown = `${new Date(day * DAY_MS).toISOString().slice(0, 10)} `;
  if (days.size >= 10_000) days.clear();
  days.set(day, shown);
  return shown;
}

/** Each once, for the same reason. */
const minutes = Array.from<string | undefined>({ length: 1_440 });

function showMinute(minute: number): string {
  return (minutes[minute] ??= `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`);
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}

export function plusDays(at: Wall, days: number): Wall {
  return (at + days * DAY_MS) as Wall;
}

/** Whole calendar days from one wall time to another, rounded down. */
export function daysBetween(from: Wall, to: Wall): number {
  return Math.floor((to - from) / DAY_MS);
}

/** ISO 8601: Monday is 1, Sunday is 7. */
export function weekdayOf(at: Wall): number {
  // 1970-01-01 was a Thursday.
  return ((((Math.floor(at / DAY_MS) + 3) % 7) + 7) % 7) + 1;
}

/** 0 … 1439 */
export function minuteOfDay(at: Wall): number {
  return Math.floor((((at % DAY_MS) + DAY_MS) % DAY_MS) / 60_000);
}
