import type { Instant } from '../core/time/index.ts';
import type { DocumentFile } from './document-file.ts';
import type { FeedFinding } from './feeds/look-at-feed.ts';
import type { LastPart } from './read-protocol.ts';
import type { ReadingThreadParts } from './reading-thread.ts';
import { type Failed, isFailed, type Overtaken, ReadingTurns } from './reading-turns.ts';

export interface FeedReaderParts extends Omit<ReadingThreadParts, 'prompts'> {
  readonly heapMb?: number;
}

/** The documents that declare feeds, all of one version. */
export interface FeedDocuments {
  readonly files: readonly DocumentFile[];
  /** Of the roster. */
  readonly zoneName: string;
}

/** Fetching may take 15 s, and ten megabytes are read in two. */
const LIMIT_MS = 120_000;
const HEAP_MB = 1_024;

/**
 * Fetches, reads and judges what other systems publish in a thread of its own: how much that is, is up to them. Apart
 * from the thread that reads documents, so that neither a slow server nor a long proof holds the other one up.
 */
export class FeedReader {
  readonly #turns: ReadingTurns;

  constructor({ heapMb = HEAP_MB, ...parts }: FeedReaderParts) {
    this.#turns = new ReadingTurns({ ...parts, prompts: new Set() }, heapMb);
  }

  /** Ids of the feeds that good documents declare. */
  declared({
    files,
    zoneName,
  }: FeedDocuments): Promise<{ readonly kind: 'declared'; readonly feeds: readonly string[] } | Failed | Overtaken> {
    return this.#turns.do(LIMIT_MS, files, async (thread) => {
      const slots = files.map((file) => thread.slots.of(file));
      const last = await thread.run({ kind: 'declared', slots, zoneName });
      return last.kind === 'declared' ? { kind: 'declared', feeds: last.feeds } : amiss(last);
    });
  }

  /** One of them; `before` is the document that was kept of it, `folder` what relative paths are of. */
  async look(
    feed: string,
    { files, zoneName }: FeedDocuments,
    about: { readonly before: string | null; readonly folder: string; readonly now: Instant },
  ): Promise<FeedFinding | Overtaken> {
    const result = await this.#turns.do(LIMIT_MS, files, async (thread) => {
      const slots = files.map((file) => thread.slots.of(file));
      const last = await thread.run({ kind: 'feed', slots, zoneName, feed, ...about });
      return last.kind === 'feed' ? last.finding : amiss(last);
    });
    return isFailed(result) ? failedFeed(result.why) : result;
  }

  /** What is under way ends as `overtaken`. May be called twice. */
  close(): Promise<void> {
    return this.#turns.close();
  }
}

function failedFeed(why: string): FeedFinding {
  return { kind: 'refused', because: `it cannot be read: ${why}`, remedy: 'publish less of it' };
}

/** An answer to another question. */
function amiss(last: LastPart): never {
  throw new Error(`the reader of feeds answered out of turn: ${last.kind}`);
}
