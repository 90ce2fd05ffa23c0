import { type Instant, plusMs } from '../time/index.ts';
import type { CompiledRoster } from './model.ts';
import type { ShiftOverride } from './override.ts';

/** The rules of one roster with the overrides that people had made by an instant: what a house that was up went by. */
export interface RosterInTime {
  readonly at: (at: Instant) => CompiledRoster;
  /**
   * What a call at this instant may have been decided by, the likeliest first: a house looks for overrides twice a
   * second, so what was made in the last moment may not have counted yet.
   */
  readonly lately: (at: Instant) => readonly CompiledRoster[];
}

/** From the command of whoever makes an override to the next look of a busy house. */
const UNSEEN_MS = 5_000;

export function rosterInTime(rules: CompiledRoster, rows: readonly ShiftOverride[]): RosterInTime {
  const known = rows.length === 0 ? [] : whenKnown(rows);
  const changes = [...new Set(known.flatMap(({ since, acceptedAt, endedAt }) => [since, acceptedAt, endedAt]))]
    .filter((at) => at !== null)
    .sort((a, b) => a - b);
  const rosters: CompiledRoster[] = [];
  const placeOf = (at: Instant) => changes.findLastIndex((change) => change <= at);
  const rosterAt = (place: number): CompiledRoster => {
    if (place < 0) return rules;
    return (rosters[place] ??= rules.withOverrides(asKnown(known, changes[place]!)));
  };
  return {
    at: (at) => rosterAt(placeOf(at)),
    lately(at) {
      const [last, first] = [placeOf(at), placeOf(plusMs(at, -UNSEEN_MS))];
      return Array.from({ length: last - first + 1 }, (_, i) => rosterAt(last - i));
    },
  };
}

/** A row with the instants at which each thing about it became known. */
interface KnownRow {
  readonly row: ShiftOverride;
  readonly since: Instant;
  readonly acceptedAt: Instant | null;
  readonly endedAt: Instant | null;
}

function whenKnown(rows: readonly ShiftOverride[]): readonly KnownRow[] {
  const since = new Map<number, Instant>();
  let newest = rows[0]!.madeAt;
  for (const { id, madeAt } of rows.toSorted((a, b) => a.id - b.id)) {
    // What is left of an override that somebody took over keeps its author and its time, and came with the later row.
    if (madeAt > newest) newest = madeAt;
    since.set(id, newest);
  }
  return rows.map((row): KnownRow => {
    const { id, acceptedAt, endedAt, endedFor } = row;
    const ended = endedAt === null || endedFor === null ? endedAt : (since.get(endedFor) ?? endedAt);
    return { row, since: since.get(id)!, acceptedAt, endedAt: ended };
  });
}

function asKnown(known: readonly KnownRow[], at: Instant): readonly ShiftOverride[] {
  return known
    .filter(({ since }) => since <= at)
    .map(({ row, acceptedAt, endedAt }) => ({
      ...row,
      ...(acceptedAt !== null && acceptedAt > at ? { acceptedAt: null, acceptedBy: null } : {}),
      ...(endedAt !== null && endedAt > at ? { endedAt: null, endedBy: null, endedFor: null } : {}),
    }));
}
