import type { LiveDocuments } from '../../documents/index.ts';
import { systemClock } from '../../engine/index.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

/** Publishers block whoever asks more often; their data is good for minutes. */
const EVERY_MS = 600_000;
const FIRST_MS = 5_000;

/** Looks at the feeds that the roster in force declares, again and again. One that cannot be believed is told once. */
export function watchFeeds(foundation: Foundation, documents: LiveDocuments, closing: Closing): void {
  const { config, store, record, health, log } = foundation;
  let isClosed = false;
  let looking: Promise<void> = Promise.resolve();
  let timer: { cancel(): void } | null = null;

  async function look(): Promise<void> {
    const files = store.documents.lastGood()?.files ?? [];
    if (!files.some(({ kind, text }) => kind === 'roster' && text.includes('feeds:'))) return;
    // Most houses have no feeds, and start sooner without their libraries.
    const { declaredFeeds } = await import('../../documents/feeds/index.ts');
    const { takeFeed } = await import('../oncall/take-feed.ts');
    for (const feed of declaredFeeds(files, documents.current().roster.zone)) {
      if (isClosed) return;
      const outcome = await takeFeed(feed, {
        store,
        now: systemClock.now(),
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
    timer = systemClock.after(afterMs, () => {
      looking = look()
        .catch((error: unknown) => log.error({ err: error }, 'feeds cannot be looked at, tried again'))
        .then(() => {
          if (!isClosed) again(EVERY_MS);
        });
    });
  }

  again(FIRST_MS);
  closing.add('feeds', async () => {
    isClosed = true;
    timer?.cancel();
    await looking;
  });
}
