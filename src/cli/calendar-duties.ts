import type { CompiledRoster, ShiftOverride } from '../core/oncall/index.ts';
import {
  cutTo,
  type Instant,
  instant,
  plusDays,
  plusMs,
  type Span,
  type Wall,
  weekdayOf,
  zone,
} from '../core/time/index.ts';
import { compileFiles } from '../documents/index.ts';
import { type CalendarDuty, type CalendarOf, dutiesOf } from '../documents/feeds/index.ts';
import type { Store } from '../storage/index.ts';
import { promptIds } from './prompt-ids.ts';

const DAY_MS = 86_400_000;
const DAYS = { back: 30, ahead: 90 };
/** Of the past: who edits more often than this loses the oldest days of the calendar. */
const MAX_VERSIONS = 60;
const MAX_EVENTS = 5_000;

/**
 * Duties of the past 30 and the next 90 days, as a calendar that others subscribe to shows them. The past is told by the
 * rosters that were in force then: an edit of the rules does not change it.
 */
export class CalendarDuties {
  readonly #store: Store;
  /** By content hashes and day. */
  #compiled = new Map<string, CompiledRoster | null>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** [] when nobody was ever on call, or the person and the service are gone for as long. */
  of(of: CalendarOf, now: Instant): readonly CalendarDuty[] {
    const today = instant(Math.floor(now / DAY_MS) * DAY_MS);
    const within: Span = { from: plusMs(today, -DAYS.back * DAY_MS), to: plusMs(today, DAYS.ahead * DAY_MS) };
    const window: Span = { from: plusMs(within.from, -7 * DAY_MS), to: plusMs(within.to, 7 * DAY_MS) };
    const changes = this.#store.documents.rosterChanges(within.from, MAX_VERSIONS);
    const overrides = this.#store.overrides.list(window.from);
    const fresh = new Map<string, CompiledRoster | null>();
    let duties: Piece[] = [];
    let before = new Map<string, Instant>();
    for (const [i, { at, plan, roster }] of changes.entries()) {
      const name = `${today} ${roster}`;
      const rules = fresh.get(name) ?? this.#compiled.get(name) ?? this.#compile({ plan, roster }, window);
      fresh.set(name, rules);
      if (rules === null) continue;
      const inForce: Span = { from: i === 0 ? window.from : at, to: changes[i + 1]?.at ?? window.to };
      const own = dutiesOf(rules.withOverrides(overrides), of, within, at);
      const known = before;
      const dated = own
        .flatMap((duty) => inWeeks(duty, rules, window))
        .map((duty) => withOverrides({ ...duty, changedAt: known.get(nameOf(duty)) ?? at }, overrides));
      before = new Map(dated.map((duty) => [nameOf(duty), duty.changedAt]));
      duties = goOn(
        duties,
        cutTo<Piece>(
          dated.map((duty) => ({ ...duty, ends: duty.to })),
          [inForce],
        ),
      );
    }
    this.#compiled = fresh;
    const touching = duties.filter(({ from, to }) => to > within.from && from < within.to);
    return touching.toSorted((a, b) => a.from - b.from || (a.title < b.title ? -1 : 1)).slice(0, MAX_EVENTS);
  }

  #compile(version: { readonly plan: string; readonly roster: string }, window: Span): CompiledRoster | null {
    const files = this.#store.documents.find(version)?.files;
    const compiled = files && compileFiles(files, { prompts: promptIds(), now: window.to, window });
    return compiled?.kind === 'ok' ? compiled.roster : null;
  }
}

interface Piece extends CalendarDuty {
  /** The true end of the duty under this roster, which may not have lasted so long. */
  readonly ends: Instant;
}

/** A duty that another version of the roster has as well is one duty, and has not changed. */
function goOn(before: readonly Piece[], next: readonly Piece[]): Piece[] {
  const same = (a: Piece, b: Piece) =>
    a.service === b.service && a.tier === b.tier && a.person === b.person && a.to === b.from;
  const taken = new Set<Piece>();
  const gone = before.map((piece): Piece => {
    const more = next.find((one) => same(piece, one));
    // What another roster cut short is another event than it was going to be.
    if (more === undefined) return piece.to < piece.ends ? { ...piece, ends: piece.to, changedAt: piece.to } : piece;
    taken.add(more);
    const isSame = piece.ends === more.ends && piece.because === more.because;
    return { ...more, from: piece.from, changedAt: isSame ? piece.changedAt : more.changedAt };
  });
  return [...gone, ...next.filter((piece) => !taken.has(piece))];
}

function nameOf({ service, tier, person, from, to, title, because }: CalendarDuty): string {
  return [service, tier, person, from, to, title, because].join('|');
}

/** What has no end is shown week by week: so it is the same event tomorrow. */
function inWeeks(duty: CalendarDuty, roster: CompiledRoster, window: Span): CalendarDuty[] {
  if (duty.from > window.from && duty.to < window.to) return [duty];
  const home = zone(roster.service(duty.service)?.zone ?? roster.zone);
  const weeks: Span[] = [];
  const wall = home.toWall(duty.from);
  const midnight = (Math.floor(wall / DAY_MS) * DAY_MS) as Wall;
  for (let day = plusDays(midnight, 1 - weekdayOf(midnight)); home.toInstant(day) < duty.to; day = plusDays(day, 7)) {
    weeks.push({ from: home.toInstant(day), to: home.toInstant(plusDays(day, 7)) });
  }
  return weeks.flatMap((week) => cutTo([duty], [week]));
}

/** A duty has changed when somebody changed who holds it. */
function withOverrides(duty: CalendarDuty, overrides: readonly ShiftOverride[]): CalendarDuty {
  const changes = overrides.flatMap((one) => {
    const isHere = one.service === duty.service && one.tier === duty.tier && one.from < duty.to && one.to > duty.from;
    return isHere ? [one.acceptedAt, one.endedAt] : [];
  });
  const at = Math.max(duty.changedAt, ...changes.filter((change) => change !== null));
  return { ...duty, changedAt: instant(at) };
}
