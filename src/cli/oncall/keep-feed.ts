import type { SystemFact } from '../../core/audit/index.ts';
import type { Instant } from '../../core/time/index.ts';
import type { FeedFinding } from '../../documents/feeds/index.ts';
import type { Store } from '../../storage/index.ts';

export interface FeedHands {
  readonly store: Store;
  readonly now: Instant;
  /** Puts a fact on record before what it says is done. */
  readonly attest: (fact: SystemFact) => Promise<unknown>;
  readonly by: string;
}

/** The document that was kept of a feed; null when nothing was yet. */
export function keptOf(store: Store, feed: string): string | null {
  return store.feeds.documents().find(({ path }) => path === `feed:${feed}`)?.text ?? null;
}

/** Keeps what was found when it can be believed; otherwise what was good before stays. */
export async function keepFeed(
  feed: string,
  finding: FeedFinding,
  { store, now, attest, by }: FeedHands,
): Promise<'taken' | 'unchanged' | 'refusedAnew' | 'refusedStill'> {
  if (finding.kind === 'refused') {
    const { because } = finding;
    if (!store.feeds.refuse(feed, because, now)) return 'refusedStill';
    await attest({ fact: 'feedRefused', feed, because, by });
    return 'refusedAnew';
  }
  if (finding.isSame) {
    store.feeds.confirm(feed);
    return 'unchanged';
  }
  const { added, removed, document } = finding;
  await attest({ fact: 'feedTaken', feed, added, removed, by });
  store.feeds.take(feed, document, now);
  return 'taken';
}
