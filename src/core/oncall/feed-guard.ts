import { cutTo, type Instant, joined, lengthMs, plusMs, zone } from '../time/index.ts';
import { didYouMean } from './problem.ts';
import type { FeedShift } from './rules.ts';
import type { PersonId } from './vocabulary.ts';

/** A shift as another system publishes it, by the names it has. */
export interface PublishedShift {
  readonly who: string;
  readonly as: string;
  readonly from: Instant;
  readonly to: Instant;
}

export interface Publication {
  readonly shifts: readonly PublishedShift[];
  /** When it was written last, as far as it says. */
  readonly writtenAt: Instant | null;
}

export interface FeedSettings {
  /** The feed's names of people, and whom they mean. */
  readonly names: ReadonlyMap<string, PersonId>;
  /** 0.3: a feed that covers over 30 % less of the next four weeks than the last good one is not believed. */
  readonly shrinkShare: number;
  readonly staleAfterMs: number;
  /** What is wrong is told by its clock. */
  readonly zoneName: string;
}

export type FeedVerdict =
  | { readonly kind: 'good'; readonly shifts: readonly FeedShift[] }
  | { readonly kind: 'refused'; readonly because: string; readonly remedy: string };

const DAY_MS = 86_400_000;
const LOOK_AHEAD_DAYS = 28;
const MAX_SHIFTS = 5_000;
const MAX_SHIFT_DAYS = 31;
const MAX_HOLE_MS = 2 * 3_600_000;
const PLAUSIBLE = { from: Date.UTC(2000, 0, 1), to: Date.UTC(2100, 0, 1) };

/**
 * Whether what another system published may take the place of what it published before. What cannot be believed changes
 * nothing: it is better to go on with yesterday's roster than with none.
 */
export function judgeFeed(
  published: Publication,
  before: readonly FeedShift[] | null,
  settings: FeedSettings,
  now: Instant,
): FeedVerdict {
  const { shifts, writtenAt } = published;
  const show = shownIn(settings.zoneName);
  if (shifts.length > MAX_SHIFTS) return refused(`it has ${shifts.length} shifts`, `publish at most ${MAX_SHIFTS}`);
  const impossible = shifts.find((shift) => !isPossible(shift));
  if (impossible) {
    return refused(
      `a shift of ${impossible.who} lasts from ${show(impossible.from)} to ${show(impossible.to)}`,
      CORRECT,
    );
  }
  if (!shifts.some(({ to }) => to > now)) return refused('it has no shift from now on', CORRECT);
  if (writtenAt !== null && now - writtenAt > settings.staleAfterMs) {
    return refused(
      `it was written on ${show(writtenAt)} and not since`,
      'publish it again, or allow more with stale-after',
    );
  }
  const unknown = [...new Set(shifts.filter(({ who }) => !settings.names.has(who)).map(({ who }) => who))];
  if (unknown.length > 0) return refused(unmapped(unknown, settings.names), 'add them to names: of the feed');
  const mapped = shifts.map(({ who, as, from, to }): FeedShift => ({ person: settings.names.get(who)!, as, from, to }));
  const clash = findClash(
    mapped.filter(({ to }) => to > now),
    show,
  );
  if (clash !== null) return refused(clash, CORRECT);
  const shrunk = before === null ? null : shrinkage(before, mapped, now);
  if (shrunk !== null && shrunk > settings.shrinkShare) {
    const share = Math.round(shrunk * 100);
    return refused(`it covers ${share} % less of the next ${LOOK_AHEAD_DAYS} days than before`, SHRUNK);
  }
  return { kind: 'good', shifts: mapped.toSorted((a, b) => a.from - b.from) };
}

const CORRECT = 'correct it where it is published';
const SHRUNK = 'correct it where it is published; if it is meant, take it with --anyway';

function isPossible({ from, to }: PublishedShift): boolean {
  if (!(from >= PLAUSIBLE.from && to <= PLAUSIBLE.to)) return false;
  return from < to && to - from <= MAX_SHIFT_DAYS * DAY_MS;
}

function unmapped(unknown: readonly string[], names: ReadonlyMap<string, PersonId>): string {
  const shown = unknown.slice(0, 5).map((name) => {
    const meant = didYouMean(name, names.keys());
    return meant === null ? `"${name}"` : `"${name}" (did you mean "${meant}"?)`;
  });
  return `nobody knows who is meant by ${shown.join(', ')}${unknown.length > 5 ? ` and ${unknown.length - 5} more` : ''}`;
}

/** Two people in one duty at once, or an hour of nobody between two shifts: what a clock change does to a bad export. */
function findClash(shifts: readonly FeedShift[], show: (at: Instant) => string): string | null {
  const byDuty = Map.groupBy(shifts, ({ as }) => as);
  for (const [as, own] of byDuty) {
    const sorted = own.toSorted((a, b) => a.from - b.from);
    const duty = as === '' ? '' : ` as ${as}`;
    for (const [i, next] of sorted.entries()) {
      const last = sorted[i - 1];
      if (last === undefined) continue;
      if (next.from < last.to && next.person !== last.person) {
        return `${last.person} and ${next.person} are on duty at once${duty} at ${show(next.from)}`;
      }
      if (next.from > last.to && next.from - last.to <= MAX_HOLE_MS) {
        return `nobody is on duty${duty} from ${show(last.to)} to ${show(next.from)}`;
      }
    }
  }
  return null;
}

/** How much less of the next weeks is covered; 0 when it is not less. */
function shrinkage(before: readonly FeedShift[], after: readonly FeedShift[], now: Instant): number {
  const ahead = { from: now, to: plusMs(now, LOOK_AHEAD_DAYS * DAY_MS) };
  const covered = (shifts: readonly FeedShift[]) => {
    const byDuty = Map.groupBy(shifts, ({ as }) => as);
    return [...byDuty.values()].reduce((sum, own) => sum + lengthMs(cutTo(joined(own), [ahead])), 0);
  };
  const was = covered(before);
  return was === 0 ? 0 : Math.max(0, 1 - covered(after) / was);
}

/** What a publication would change, for whoever looks before it counts. */
export interface FeedDifference {
  readonly added: readonly FeedShift[];
  readonly removed: readonly FeedShift[];
}

export function feedDifference(
  before: readonly FeedShift[],
  after: readonly FeedShift[],
  now: Instant,
): FeedDifference {
  const key = ({ person, as, from, to }: FeedShift) => `${person} ${from} ${to} ${as}`;
  const [old, fresh] = [new Set(before.map(key)), new Set(after.map(key))];
  const ahead = (shifts: readonly FeedShift[]) => shifts.filter(({ to }) => to > now);
  return {
    added: ahead(after).filter((shift) => !old.has(key(shift))),
    removed: ahead(before).filter((shift) => !fresh.has(key(shift))),
  };
}

function refused(because: string, remedy: string): FeedVerdict {
  return { kind: 'refused', because, remedy };
}

function shownIn(zoneName: string): (at: Instant) => string {
  const home = zone(zoneName);
  // What is no date at all must not end the judge.
  return (at) => (Math.abs(at) < 8.64e15 ? home.show(at) : String(at));
}
