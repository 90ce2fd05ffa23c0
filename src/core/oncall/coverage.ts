import { cutTo, type Instant, instant, joined, lengthMs, plusMs, type Span, without, zone } from '../time/index.ts';
import { spansOfLimits } from './limits.ts';
import type { ClinicalService, CompiledRoster, DutySpan } from './model.ts';
import type { Person } from './people.ts';
import { type DutyTier, dutyTiers, type PersonId, type ServiceId } from './vocabulary.ts';

export interface Duty {
  readonly service: ServiceId;
  readonly tier: DutyTier;
}

/** Nobody holds a tier that has rules. */
export type CoverageGap = Span & Duty;

/** One person is needed in two places: a chain that goes on from the one to the other rings the same phones again. */
export interface DoubleDuty extends Span {
  readonly person: Person;
  readonly duties: readonly Duty[];
}

/** Several people hold one tier together. */
export type SharedDuty = Span & Duty & { readonly people: readonly Person[] };

/** What a tier costs a person. Nights are 22:00 to 06:00, week-ends Saturday and Sunday, by the clock of the service. */
export interface DutyLoad extends Duty {
  readonly person: Person;
  readonly shifts: number;
  readonly dutyMs: number;
  readonly nightMs: number;
  readonly weekendMs: number;
  /** Against the mean of those who hold this tier: 0.15 is 15 % more. */
  readonly overMean: number;
}

export interface Coverage extends Span {
  readonly gaps: readonly CoverageGap[];
  readonly doubleDuties: readonly DoubleDuty[];
  readonly sharedDuties: readonly SharedDuty[];
  readonly load: readonly DutyLoad[];
}

/** What the rosters promise for a span of the window, exact to the millisecond. */
export function coverage(roster: CompiledRoster, within: Span, only?: ServiceId): Coverage {
  const gaps: CoverageGap[] = [];
  const shared: SharedDuty[] = [];
  const load: DutyLoad[] = [];
  for (const service of roster.services()) {
    if (only !== undefined && service.id !== only) continue;
    for (const tier of coveredTiers(service)) {
      const duty = { service: service.id, tier };
      const spans = cutTo(roster.shifts(service.id, tier), [within]);
      gaps.push(...without([{ ...duty, ...within }], spans));
      for (const { people, from, to } of spans) {
        if (people.length > 1) shared.push({ ...duty, from, to, people: people.map(({ person }) => person) });
      }
      load.push(...loadOf(duty, spans, service.zone, within));
    }
  }
  return {
    from: within.from,
    to: within.to,
    gaps,
    doubleDuties: doubleDuties(roster, within, only),
    sharedDuties: shared,
    load,
  };
}

/** Tiers that somebody meant to be held: those that have rules. */
function coveredTiers(service: ClinicalService): readonly DutyTier[] {
  return dutyTiers.filter((tier) => (service.tiers[tier]?.length ?? 0) > 0);
}

const NIGHT = { fromMinute: 22 * 60, toMinute: 30 * 60 };
const WHOLE_DAY = { fromMinute: 0, toMinute: 1_440 };

function loadOf(duty: Duty, spans: readonly DutySpan[], zoneName: string, within: Span): DutyLoad[] {
  const home = zone(zoneName);
  const stretches = (weekdays: readonly number[], minutes: typeof NIGHT) => {
    const during = weekdays.map((weekday) => ({ weekday, ...minutes }));
    return spansOfLimits({ during }, () => undefined, home, within) ?? [];
  };
  const nights = stretches([1, 2, 3, 4, 5, 6, 7], NIGHT);
  const weekends = stretches([6, 7], WHOLE_DAY);
  const byPerson = new Map<PersonId, { person: Person; spans: Span[] }>();
  for (const { people, from, to } of spans) {
    for (const one of people) {
      const own = byPerson.get(one.personId) ?? { person: one.person, spans: [] };
      byPerson.set(one.personId, own);
      own.spans.push({ from, to });
    }
  }
  const total = [...byPerson.values()].reduce((sum, own) => sum + lengthMs(own.spans), 0);
  const mean = total / Math.max(1, byPerson.size);
  return [...byPerson.values()].map(({ person, spans: own }) => {
    const dutyMs = lengthMs(own);
    return {
      ...duty,
      person,
      shifts: joined(own).length,
      dutyMs,
      nightMs: lengthMs(cutTo(own, nights)),
      weekendMs: lengthMs(cutTo(own, weekends)),
      overMean: dutyMs / mean - 1,
    };
  });
}

/** By a sweep over all beginnings and ends: who holds more than one tier at once. */
function doubleDuties(roster: CompiledRoster, within: Span, only?: ServiceId): DoubleDuty[] {
  const byPerson = new Map<PersonId, { person: Person; held: (Span & Duty)[] }>();
  for (const service of roster.services()) {
    for (const tier of coveredTiers(service)) {
      for (const { people, from, to } of cutTo(roster.shifts(service.id, tier), [within])) {
        for (const one of people) {
          const own = byPerson.get(one.personId) ?? { person: one.person, held: [] };
          byPerson.set(one.personId, own);
          own.held.push({ service: service.id, tier, from, to });
        }
      }
    }
  }
  return [...byPerson.values()]
    .flatMap(({ person, held }) => twiceHeld(held).map((twice) => ({ person, ...twice })))
    .filter(({ duties }) => only === undefined || duties.some(({ service }) => service === only))
    .sort((a, b) => a.from - b.from);
}

function twiceHeld(held: readonly (Span & Duty)[]): readonly (Span & { duties: readonly Duty[] })[] {
  const events = held.flatMap((duty) => [
    { at: duty.from, duty, begins: true },
    { at: duty.to, duty, begins: false },
  ]);
  events.sort((a, b) => a.at - b.at);
  const open = new Set<Span & Duty>();
  const found: (Span & { duties: readonly Duty[] })[] = [];
  let since: Instant | null = null;
  for (const [i, { at, duty, begins }] of events.entries()) {
    if (since !== null && at > since && open.size > 1) found.push(merge(found, since, at, [...open]));
    if (begins) open.add(duty);
    else open.delete(duty);
    since = events[i + 1] === undefined ? null : at;
  }
  return found.filter((one) => one.from < one.to);
}

/** Duties that go on over a hand-off between two shifts of the same tiers are one. */
function merge(found: (Span & { duties: readonly Duty[] })[], from: Instant, to: Instant, open: readonly Duty[]) {
  const duties = dutyTiers
    .flatMap((tier) => open.filter((one) => one.tier === tier))
    .map(({ service, tier }) => ({ service, tier }));
  const last = found.at(-1);
  const isSame = last?.to === from && JSON.stringify(last.duties) === JSON.stringify(duties);
  if (last === undefined || !isSame) return { from, to, duties };
  found.pop();
  return { from: last.from, to, duties };
}

const WEEK_MS = 7 * 86_400_000;

/** Per week how much of the promised time nobody covers, as a share of it: 0.25 is a quarter. */
export interface WeekCover extends Span {
  readonly gapShare: number;
  readonly worst: CoverageGap | null;
}

/** A coarse look further ahead; the window of the roster has to reach as far. */
export function weeklyCover(
  roster: CompiledRoster,
  from: Instant,
  weeks: number,
  only?: ServiceId,
): readonly WeekCover[] {
  const within = { from, to: plusMs(from, weeks * WEEK_MS) };
  const services = roster.services().filter(({ id }) => only === undefined || id === only);
  const tiers = services.flatMap((service) => coveredTiers(service).map((tier) => ({ service: service.id, tier })));
  const gaps = tiers.flatMap((duty) =>
    without([{ ...duty, ...within }], cutTo(roster.shifts(duty.service, duty.tier), [within])),
  );
  return Array.from({ length: weeks }, (_, i): WeekCover => {
    const week = { from: instant(from + i * WEEK_MS), to: instant(from + (i + 1) * WEEK_MS) };
    const here = gaps.flatMap((gap) => cutTo([gap], [week]));
    const worst = here.reduce<CoverageGap | null>((most, gap) => {
      return most === null || gap.to - gap.from > most.to - most.from ? gap : most;
    }, null);
    return { ...week, gapShare: tiers.length === 0 ? 0 : lengthMs(here) / (WEEK_MS * tiers.length), worst };
  });
}
