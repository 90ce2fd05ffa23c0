import { showWall, type Wall, wall } from '../time/index.ts';
import type { Problems } from './problem.ts';
import type { WeeklyStretch } from './rules.ts';

/** Before, no version of this program ran; after, a date is a slip of the finger. */
const YEARS = { first: 2000, last: 2099 };
const DAY_MINUTES = 1_440;
const DAY_MS = 86_400_000;

/** A date, or a date and time of the wall clock. False when it is none. */
export function checkDate(text: string, at: string, problems: Problems, example: string): boolean {
  const year = Number(text.slice(0, 4));
  if (wall(text) === null) {
    problems.add(at, `"${text}" is no date that exists`, `write ${example}`);
  } else if (year < YEARS.first || year > YEARS.last) {
    problems.add(at, `the year ${year} is out of range`, `use ${YEARS.first} to ${YEARS.last}`);
  } else return true;
  return false;
}

/** False when it has no true beginning and end. */
export function checkPeriod(period: { readonly from: string; readonly until: string }, at: string, problems: Problems) {
  const example = 'it as 2026-12-20, or with the time as "2026-12-20 08:00"';
  const isDated = checkDate(period.from, `${at}.from`, problems, example);
  if (!checkDate(period.until, `${at}.until`, problems, example) || !isDated) return false;
  if (wall(period.from)! < wall(period.until)!) return true;
  problems.add(`${at}.until`, `it ends ${saidEnd(wall(period.until)!)}, before it begins`, 'write a later end');
  return false;
}

/** A stretch of hours that begins on one day and lasts at most 24 hours. */
export function checkStretches(stretches: readonly WeeklyStretch[], at: string, problems: Problems): void {
  for (const { fromMinute, toMinute } of stretches) {
    if (fromMinute < toMinute && toMinute - fromMinute <= DAY_MINUTES) continue;
    problems.add(at, 'hours that are empty or longer than a day', 'write 17:00-08:00');
    return;
  }
}

/** Whoever writes a day means all of it: what ends at midnight ends with the day before. */
function saidEnd(until: Wall): string {
  return until % DAY_MS === 0 ? `with ${showWall((until - 1) as Wall).slice(0, 10)}` : `at ${showWall(until)}`;
}
