import type { FeedSettings, PersonId, Publication } from '../../core/oncall/index.ts';
import type { Span } from '../../core/time/index.ts';
import { checkShape } from '../check-shape.ts';
import type { DocumentFile } from '../document-file.ts';
import { parseYaml } from '../parse-yaml.ts';
import { rosterFile, type WrittenFeed } from '../schema/roster-file.ts';
import { type Columns, shiftsOfTable } from './csv.ts';
import { shiftsOfCalendar } from './ical.ts';

/** A feed as `oncall/` declares it: where it comes from and how it is read. */
export interface DeclaredFeed {
  readonly id: string;
  /** An http(s) address, or a file beside the document. */
  readonly source: string;
  readonly settings: FeedSettings;
  /** The shifts in a text that was fetched. Throws for what cannot be read. */
  read(text: string, within: Span): Publication;
}

const HOUR_MS = 3_600_000;
const STALE_AFTER_MS = 7 * 24 * HOUR_MS;
const SHRINK_SHARE = 0.3;

/** The feeds that good documents declare. */
export function declaredFeeds(files: readonly DocumentFile[], zoneName: string): readonly DeclaredFeed[] {
  return files.flatMap((file) => {
    if (file.kind !== 'roster' || !file.text.includes('feeds:')) return [];
    const parsed = parseYaml(file);
    const shape = parsed.kind === 'parsed' ? checkShape(rosterFile, parsed.file) : null;
    if (shape?.kind !== 'fits') return [];
    const { feeds = {}, zone = zoneName } = shape.written;
    return Object.entries(feeds).map(([id, written]) => declared(id, written, zone));
  });
}

function declared(id: string, written: WrittenFeed, zoneOfFile: string): DeclaredFeed {
  const { calendar, table, zone: zoneName = zoneOfFile, title = '{who}', columns, delimiter = ',' } = written;
  const staleAfter = written['stale-after'];
  const settings: FeedSettings = {
    names: new Map(Object.entries(written.names) as [string, PersonId][]),
    shrinkShare: written.shrink === undefined ? SHRINK_SHARE : Number(written.shrink) / 100,
    staleAfterMs: staleAfter === undefined ? STALE_AFTER_MS : hoursOf(staleAfter) * HOUR_MS,
    zoneName,
  };
  const form = {
    columns: columns as Columns,
    delimiter: delimiter === 'tab' ? '\t' : delimiter,
    zoneName,
    dates: written.dates ?? 'month-first',
  };
  return {
    id,
    source: (calendar ?? table)!,
    settings,
    read: (text, within) => {
      return calendar === undefined ? shiftsOfTable(text, form) : shiftsOfCalendar(text, { zoneName, title, within });
    },
  };
}

/** "36h", "14d" */
function hoursOf(written: string): number {
  return Number(written.slice(0, -1)) * (written.endsWith('d') ? 24 : 1);
}
