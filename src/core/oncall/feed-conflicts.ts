import { cutTo, type Instant } from '../time/index.ts';
import type { CompiledRoster } from './model.ts';
import { isInForce, type ShiftOverride, spanInForce } from './override.ts';

/** A change by hand that the other system has not followed yet. */
export interface FeedConflict {
  readonly override: ShiftOverride;
  readonly feed: string;
}

/**
 * Overrides of duties that come from a feed, for as long as the feed says something else: they go on counting after
 * every import, and are shown until the source agrees.
 */
export function feedConflicts(roster: CompiledRoster, now: Instant): readonly FeedConflict[] {
  const byRules = roster.withOverrides([]);
  return roster.overrides.flatMap((override): FeedConflict[] => {
    const span = spanInForce(override);
    if (span === null || span.to <= now || !isInForce(override)) return [];
    const rules = roster.service(override.service)?.tiers[override.tier] ?? [];
    const feed = rules.find((rule) => rule.kind === 'feed');
    if (feed?.kind !== 'feed') return [];
    const ahead = [{ from: span.from > now ? span.from : now, to: span.to }];
    const said = (one: CompiledRoster) =>
      cutTo(one.shifts(override.service, override.tier), ahead).map(({ from, to, people }) => {
        return `${from} ${to} ${people
          .map(({ personId }) => personId)
          .toSorted()
          .join()}`;
      });
    return said(byRules).join('|') === said(roster).join('|') ? [] : [{ override, feed: feed.feed }];
  });
}
