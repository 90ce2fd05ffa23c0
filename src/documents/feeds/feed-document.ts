import type { FeedShift, PersonId } from '../../core/oncall/index.ts';
import { type Instant, instant, plusMs } from '../../core/time/index.ts';
import type { DocumentFile } from '../document-file.ts';

const KEPT_MS = 400 * 86_400_000;

/**
 * The last good shifts of a feed as a document of their own: it is part of every version of the roster, so that who was
 * on call by a feed can be answered as long as by any other rule.
 */
export function feedDocument(feed: string, shifts: readonly FeedShift[], now: Instant): DocumentFile {
  const written = shifts
    .filter(({ from, to }) => to > plusMs(now, -KEPT_MS) && from < plusMs(now, KEPT_MS))
    .map(({ person, as, from, to }) => {
      return JSON.stringify({ who: person, from: new Date(from).toISOString(), until: new Date(to).toISOString(), as });
    });
  const lines = written.map((line) => `  - ${line}\n`).join('');
  const text = `feed-shifts:\n  ${feed}:${written.length === 0 ? ' []\n' : `\n${lines}`}`;
  return { kind: 'roster', path: `feed:${feed}`, text };
}

/** The shifts of such a document, without the checks of others: nobody but `feedDocument` writes them. */
export function shiftsIn(document: string): readonly FeedShift[] {
  const lines = document.split('\n').filter((line) => line.startsWith('  - '));
  return lines.map((line) => {
    const { who, from, until, as } = JSON.parse(line.slice(4)) as Record<'who' | 'from' | 'until' | 'as', string>;
    return { person: who as PersonId, from: instant(Date.parse(from)), to: instant(Date.parse(until)), as };
  });
}
