import { type FeedDocuments, FeedReader, type LiveDocuments } from '../../documents/index.ts';
import { systemClock } from '../../engine/index.ts';
import type { Clock } from '../../engine/ports.ts';
import { keepFeed, keptOf } from '../oncall/keep-feed.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

/** Publishers block whoever asks more often; their data is good for minutes. */
const EVERY_MS = 600_000;
/** How soon a feed that was added is fetched, and one that was removed is forgotten. */
const NEWS_MS = 5_000;

const NONE = { kind: 'declared', feeds: [] as readonly string[] } as const;

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
  const reader = new FeedReader({ clock: systemClock });
  let isClosed = false;
  let looking: Promise<void> = Promise.resolve();
  let timer: { cancel(): void } | null = null;
  let known: readonly string[] = [];
  let seen = '';
  let lookedMs = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    const { version, zone } = documents.current().roster;
    const isDue = clock.monotonicMs() - lookedMs >= EVERY_MS;
    if (version === seen && !isDue) return;
    const files = store.documents.lastGood()?.files ?? [];
    const declaring = files.filter(({ kind, text }) => kind === 'roster' && text.includes('feeds:'));
    const from = { files: declaring, zoneName: zone };
    const declared = declaring.length === 0 ? NONE : await reader.declared(from);
    if (declared.kind === 'overtaken') return;
    if (declared.kind === 'failed') throw new Error(declared.why);
    const all = declared.feeds;
    for (const id of known) if (!all.includes(id)) health.forget(`feed ${id}`);
    const fresh = isDue ? all : all.filter((id) => !known.includes(id));
    known = all;
    seen = version;
    if (isDue) lookedMs = clock.monotonicMs();
    for (const feed of fresh) await take(feed, from);
  }

  async function take(feed: string, from: FeedDocuments): Promise<void> {
    const now = clock.now();
    const finding = await reader.look(feed, from, { before: keptOf(store, feed), folder: config.oncall, now });
    if (finding.kind === 'overtaken') return;
    const done = await keepFeed(feed, finding, { store, now, attest: record, by: 'system' });
    if (finding.kind === 'good') {
      health.ok(`feed ${feed}`);
      if (done === 'taken') log.info({ feed, shifts: finding.shifts }, 'feed taken');
      return;
    }
    const { because } = finding;
    health.failing(`feed ${feed}`, `the last good roster stays in force: ${because}`);
    if (done === 'refusedAnew') log.warn({ feed, because }, 'feed refused, the last good roster stays in force');
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
    await reader.close();
    await looking;
  });
}
