import type { LiveDocuments } from '../../documents/index.ts';
import type { DeclaredFeed } from '../../documents/feeds/index.ts';
import { systemClock } from '../../engine/index.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

/** Publishers block whoever asks more often; their data is good for minutes. */
const EVERY_MS = 600_000;
/** How soon a feed that was added is fetched, and one that was removed is forgotten. */
const NEWS_MS = 5_000;

type Parts = Pick<Foundation, 'config' | 'store' | 'record' | 'health' | 'log'>;

/**
 * Looks at the feeds that the roster in force declares: at all of them every ten minutes, at a new one soon. One that
 * cannot be believed is told once.
 */
export function watchFeeds(
  { config, store, record, health, log }: Parts,
  documents: Pick<LiveDocuments, 'current'>,
  closing: Closing,
  clock: Clock = systemClock,
): void {
  let isClosed = false;
  let looking: Promise<void> = Promise.resolve();
  let timer: { cancel(): void } | null = null;
  let known: readonly string[] = [];
  let seen = '';
  let lookedMs = Number.NEGATIVE_INFINITY;

  async function declared(): Promise<readonly DeclaredFeed[]> {
    const files = store.documents.lastGood()?.files ?? [];
    if (!files.some(({ kind, text }) => kind === 'roster' && text.includes('feeds:'))) return [];
    // Most houses have no feeds, and start sooner without their libraries.
    const { declaredFeeds } = await import('../../documents/feeds/index.ts');
    return declaredFeeds(files, documents.current().roster.zone);
  }

  async function look(): Promise<void> {
    const { version } = documents.current().roster;
    const isDue = clock.monotonicMs() - lookedMs >= EVERY_MS;
    if (version === seen && !isDue) return;
    const all = await declared();
    for (const id of known) if (all.every((feed) => feed.id !== id)) health.forget(`feed ${id}`);
    const fresh = isDue ? all : all.filter(({ id }) => !known.includes(id));
    known = all.map(({ id }) => id);
    seen = version;
    if (isDue) lookedMs = clock.monotonicMs();
    if (fresh.length > 0) await take(fresh);
  }

  async function take(feeds: readonly DeclaredFeed[]): Promise<void> {
    const { takeFeed } = await import('../oncall/take-feed.ts');
    for (const feed of feeds) {
      if (isClosed) return;
      const outcome = await takeFeed(feed, {
        store,
        now: clock.now(),
        attest: (fact) => record(fact),
        by: 'system',
        folder: config.oncall,
        isDryRun: false,
        isMeant: false,
      });
      const name = `feed ${feed.id}`;
      if (outcome.kind !== 'refused') health.ok(name);
      else health.failing(name, `the last good roster stays in force: ${outcome.because}`);
      if (outcome.kind === 'refused' && outcome.isNews) {
        log.warn({ feed: feed.id, because: outcome.because }, 'feed refused, the last good roster stays in force');
      } else if (outcome.kind === 'taken') log.info({ feed: feed.id, shifts: outcome.shifts }, 'feed taken');
    }
  }

  function again(afterMs: number): void {
    timer = clock.after(afterMs, () => {
      looking = look()
        .catch((error: unknown) => log.error({ err: error }, 'feeds cannot be looked at, tried again'))
        .then(() => {
          if (!isClosed) again(NEWS_MS);
        });
    });
  }

  again(NEWS_MS);
  closing.add('feeds', async () => {
    isClosed = true;
    timer?.cancel();
    await looking;
  });
}
