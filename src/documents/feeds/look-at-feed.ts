import { type FeedDifference, feedDifference, judgeFeed } from '../../core/oncall/index.ts';
import { type Instant, plusMs } from '../../core/time/index.ts';
import type { DeclaredFeed } from './declared.ts';
import { feedDocument, shiftsIn } from './feed-document.ts';
import { fetchFeed } from './fetch-feed.ts';

/** What came of a look at a feed. */
export type FeedFinding =
  | {
      readonly kind: 'good';
      readonly shifts: number;
      /** Shifts from now on that were not there before, and those that are there no more. */
      readonly added: number;
      readonly removed: number;
      /** It says what it said when it was taken last. */
      readonly isSame: boolean;
      /** Its shifts as a document to keep. */
      readonly document: string;
    }
  | { readonly kind: 'refused'; readonly because: string; readonly remedy: string };

export interface FeedLook {
  readonly now: Instant;
  /** Folder of the rosters: what relative paths are of. */
  readonly folder: string;
  /** The document that was kept last. */
  readonly before: string | null;
  /** Another file in place of the feed's own source. */
  readonly file?: string;
  /** Believed although it has shrunk or is old. */
  readonly isMeant?: boolean;
}

const DAY_MS = 86_400_000;

/** Fetches one feed and judges it. Never rejects: what cannot be fetched or read is refused. */
export async function lookAtFeed(
  feed: DeclaredFeed,
  { now, folder, before, file, isMeant = false }: FeedLook,
): Promise<{ readonly finding: FeedFinding; readonly difference: FeedDifference }> {
  const kept = before === null ? null : shiftsIn(before);
  const verdict = await judged();
  if (verdict.kind === 'refused') return { finding: verdict, difference: { added: [], removed: [] } };
  const { shifts } = verdict;
  const difference = feedDifference(kept ?? [], shifts, now);
  const [added, removed] = [difference.added.length, difference.removed.length];
  const finding = {
    kind: 'good',
    shifts: shifts.length,
    added,
    removed,
    isSame: kept !== null && added + removed === 0,
    document: feedDocument(feed.id, shifts, now).text,
  } as const;
  return { finding, difference };

  async function judged() {
    try {
      const fetched = await fetchFeed(file ?? feed.source, file === undefined ? folder : '.');
      const published = feed.read(fetched.text, { from: plusMs(now, -8 * DAY_MS), to: plusMs(now, 400 * DAY_MS) });
      const writtenAt = published.writtenAt ?? fetched.changedAt;
      const settings = isMeant
        ? { ...feed.settings, shrinkShare: 1, staleAfterMs: Number.POSITIVE_INFINITY }
        : feed.settings;
      return judgeFeed({ ...published, writtenAt }, kept, settings, now);
    } catch (error) {
      const because = `it cannot be read: ${whyOf(error).slice(0, 200)}`;
      return { kind: 'refused', because, remedy: 'look at its address and its form' } as const;
    }
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
