import { wall } from '../time/index.ts';
import { checkDate, checkPeriod, checkStretches } from './check-times.ts';
import type { RosterSource } from './model.ts';
import type { ById } from './by-id.ts';
import { byId } from './names.ts';
import type { Problems } from './problem.ts';
import type { HolidayRotation, Limits, ListedShift, RosterRule } from './rules.ts';

const MAX = { rules: 20, people: 500, days: 366, hours: 168, shifts: 5_000, holidays: 200, temporary: 100 };

/** What rules may name, looked up once. */
export interface Known {
  readonly people: ById<{ readonly id: string }>;
  readonly calendars: ById<{ readonly id: string }>;
  readonly feeds: ById<{ readonly id: string }>;
}

export function checkRules(rules: readonly RosterRule[], at: string, problems: Problems, known: Known): void {
  if (rules.length > MAX.rules) problems.add(at, `${rules.length} rules in one tier`, `use at most ${MAX.rules}`);
  for (const [i, rule] of rules.entries()) checkRule(rule, `${at}.${i}`, problems, known);
}

function checkRule(rule: RosterRule, at: string, problems: Problems, known: Known): void {
  switch (rule.kind) {
    case 'always':
      if (!known.people.has(rule.person)) problems.unknown(`${at}.always`, 'person', rule.person, known.people.keys());
      return checkLimits(rule, at, problems, known);
    case 'rotation':
      checkTurns(rule, at, problems, known);
      if (!Number.isInteger(rule.everyDays) || rule.everyDays < 1 || rule.everyDays > MAX.days) {
        problems.add(`${at}.every`, `a turn of ${rule.everyDays} days`, `use 1 to ${MAX.days} whole days`);
      }
      return checkLimits(rule, at, problems, known);
    case 'hourly':
      checkTurns(rule, at, problems, known);
      if (!Number.isInteger(rule.everyHours) || rule.everyHours < 1 || rule.everyHours > MAX.hours) {
        problems.add(`${at}.every`, `a turn of ${rule.everyHours} hours`, `use 1 to ${MAX.hours} whole hours`);
      }
      return checkLimits(rule, at, problems, known);
    case 'holidays':
      return checkHolidayRotation(rule, at, problems, known);
    case 'listed':
      return checkListed(rule.shifts, `${at}.shifts`, problems, known);
    case 'feed':
      if (!known.feeds.has(rule.feed)) problems.unknown(`${at}.feed`, 'feed', rule.feed, known.feeds.keys());
  }
}

function checkTurns(
  { people, since }: { readonly people: readonly string[]; readonly since: string },
  at: string,
  problems: Problems,
  known: Known,
): void {
  if (people.length === 0) {
    problems.add(`${at}.rotation`, 'a rotation of nobody', 'name at least one person: rotation: [dr-ames]');
  }
  if (people.length > MAX.people) {
    problems.add(`${at}.rotation`, `${people.length} people rotate`, `use at most ${MAX.people}`);
  }
  for (const [i, person] of people.entries()) {
    if (!known.people.has(person)) problems.unknown(`${at}.rotation.${i}`, 'person', person, known.people.keys());
  }
  checkDate(since, `${at}.since`, problems, 'the first hand-off as 2026-01-05');
}

function checkLimits({ during, holidays }: Limits, at: string, problems: Problems, known: Known): void {
  if (during !== undefined) checkStretches(during, `${at}.during`, problems);
  if (holidays === undefined || known.calendars.has(holidays.calendar)) return;
  const key = holidays.answers === 'only' ? 'on-holidays' : 'not-on-holidays';
  problems.unknown(`${at}.${key}`, 'holiday calendar', holidays.calendar, known.calendars.keys());
}

function checkHolidayRotation(rule: HolidayRotation, at: string, problems: Problems, known: Known): void {
  checkTurns(rule, at, problems, known);
  checkStretches([{ weekday: 1, ...rule }], `${at}.hours`, problems);
  if (known.calendars.has(rule.calendar)) return;
  problems.unknown(`${at}.holidays`, 'holiday calendar', rule.calendar, known.calendars.keys());
}

function checkListed(shifts: readonly ListedShift[], at: string, problems: Problems, known: Known): void {
  if (shifts.length > MAX.shifts) {
    problems.add(at, `${shifts.length} shifts in one list`, `use at most ${MAX.shifts}`);
    return;
  }
  const good: { readonly from: number; readonly until: number; readonly i: number }[] = [];
  for (const [i, shift] of shifts.entries()) {
    if (!known.people.has(shift.person)) {
      problems.unknown(`${at}.${i}.who`, 'person', shift.person, known.people.keys());
    }
    if (!checkPeriod(shift, `${at}.${i}`, problems)) continue;
    good.push({ from: wall(shift.from)!, until: wall(shift.until)!, i });
  }
  good.sort((a, b) => a.from - b.from);
  for (const [j, shift] of good.entries()) {
    const before = good[j - 1];
    if (before === undefined || before.until <= shift.from) continue;
    const remedy = 'end the one where the other begins, or put one of them into a rule behind';
    problems.add(`${at}.${shift.i}`, `this shift begins before shift ${before.i + 1} of the list ends`, remedy);
  }
}

export function checkHolidays(source: RosterSource, problems: Problems): ById<{ readonly id: string }> {
  const calendars = byId('holidays', source.holidays ?? [], problems);
  for (const { id, days } of source.holidays ?? []) {
    const at = `holidays.${id}`;
    if (days.length === 0)
      problems.add(at, 'a calendar without a day', 'add a day: {date: 2026-12-25, name: Christmas}');
    if (days.length > MAX.holidays) problems.add(at, `${days.length} holidays`, `use at most ${MAX.holidays}`);
    for (const [i, day] of days.entries()) {
      if (day.kind === 'date') checkDate(day.date, `${at}.${i}.date`, problems, 'it as 2026-12-25');
    }
  }
  return calendars;
}

/** Two temporary rosters never speak of the same tier at the same time: nobody could say which one counts. */
export function checkTemporary(source: RosterSource, problems: Problems, known: Known): void {
  const all = source.temporary ?? [];
  byId('temporary', all, problems);
  if (all.length > MAX.temporary) {
    problems.add('temporary', `${all.length} temporary rosters`, `use at most ${MAX.temporary}`);
    return;
  }
  const services = new Set<string>(source.services.map(({ id }) => id));
  const good = new Map<string, { readonly id: string; readonly from: number; readonly until: number }[]>();
  for (const temporary of all) {
    const at = `temporary.${temporary.id}`;
    const isDated = checkPeriod(temporary, at, problems);
    for (const { service, tier, rules } of temporary.tiers) {
      const place = `${at}.services.${service}`;
      if (!services.has(service)) problems.unknown(place, 'service', service, services);
      if (rules.length === 0) problems.add(`${place}.${tier}`, 'a temporary roster without a rule', 'add a rule');
      checkRules(rules, `${place}.${tier}`, problems, known);
      if (!isDated) continue;
      const [from, until] = [wall(temporary.from)!, wall(temporary.until)!];
      const name = `${service} ${tier}`;
      const ofTier = good.get(name) ?? [];
      good.set(name, ofTier);
      const other = ofTier.find((one) => one.from < until && from < one.until);
      if (other) {
        const remedy = 'end the one where the other begins';
        problems.add(`${place}.${tier}`, `temporary roster ${other.id} speaks of the same tier at that time`, remedy);
      }
      ofTier.push({ id: temporary.id, from, until });
    }
  }
}
