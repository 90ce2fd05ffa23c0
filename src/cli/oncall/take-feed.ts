import type { SystemFact } from '../../core/audit/index.ts';
import { type FeedDifference, feedDifference, type FeedShift, judgeFeed } from '../../core/oncall/index.ts';
import { type Instant, plusMs } from '../../core/time/index.ts';
import { type DeclaredFeed, feedDocument, fetchFeed, shiftsIn } from '../../documents/feeds/index.ts';
import type { Store } from '../../storage/index.ts';

export type FeedOutcome =
  | {
      readonly kind: 'taken' | 'unchanged' | 'wouldBeTaken';
      readonly feed: string;
      readonly shifts: number;
      readonly difference: FeedDifference;
    }
  | {
      readonly kind: 'refused';
      readonly feed: string;
      readonly because: string;
      readonly remedy: string;
      readonly isNews: boolean;
    };

export interface FeedHands {
  readonly store: Store;
  readonly now: Instant;
  /** Puts a fact on record before what it says is done. */
  readonly attest: (fact: SystemFact) => Promise<unknown>;
  readonly by: string;
  /** Folder of the rosters: what relative paths are of. */
  readonly folder: string;
  /** Another file in place of the feed's own source. */
  readonly file?: string;
  readonly isDryRun: boolean;
  /** Takes it although it has shrunk or is old. */
  readonly isMeant: boolean;
}

const DAY_MS = 86_400_000;

/** Fetches one feed, judges it, and keeps it when it can be believed; otherwise what was good before stays. */
export async function takeFeed(feed: DeclaredFeed, hands: FeedHands): Promise<FeedOutcome> {
  const { store, now, attest, by, isDryRun } = hands;
  const kept = store.feeds.documents().find(({ path }) => path === `feed:${feed.id}`);
  const before = kept === undefined ? null : shiftsIn(kept.text);
  const verdict = await judged(feed, before, hands);
  if (verdict.kind === 'refused') {
    const { because, remedy } = verdict;
    const isNews = !isDryRun && store.feeds.refuse(feed.id, because, now);
    if (isNews) await attest({ fact: 'feedRefused', feed: feed.id, because, by });
    return { kind: 'refused', feed: feed.id, because, remedy, isNews };
  }
  const difference = feedDifference(before ?? [], verdict.shifts, now);
  const outcome = { feed: feed.id, shifts: verdict.shifts.length, difference };
  const isSame = before !== null && difference.added.length === 0 && difference.removed.length === 0;
  if (isDryRun) return { kind: isSame ? 'unchanged' : 'wouldBeTaken', ...outcome };
  if (isSame) {
    store.feeds.confirm(feed.id);
    return { kind: 'unchanged', ...outcome };
  }
  const { added, removed } = difference;
  await attest({ fact: 'feedTaken', feed: feed.id, added: added.length, removed: removed.length, by });
  store.feeds.take(feed.id, feedDocument(feed.id, verdict.shifts, now).text, now);
  return { kind: 'taken', ...outcome };
}

async function judged(
  feed: DeclaredFeed,
  before: readonly FeedShift[] | null,
  { folder, file, now, isMeant }: FeedHands,
) {
  try {
    const fetched = await fetchFeed(file ?? feed.source, file === undefined ? folder : '.');
    const published = feed.read(fetched.text, { from: plusMs(now, -8 * DAY_MS), to: plusMs(now, 400 * DAY_MS) });
    const writtenAt = published.writtenAt ?? fetched.changedAt;
    const settings = isMeant
      ? { ...feed.settings, shrinkShare: 1, staleAfterMs: Number.POSITIVE_INFINITY }
      : feed.settings;
    return judgeFeed({ ...published, writtenAt }, before, settings, now);
  } catch (error) {
    const why =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    return {
      kind: 'refused',
      because: `it cannot be read: ${why.slice(0, 200)}`,
      remedy: 'look at its address and its form',
    } as const;
  }
}
