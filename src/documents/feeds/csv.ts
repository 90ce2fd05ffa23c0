import { parse } from 'csv-parse/sync';
import type { Publication, PublishedShift } from '../../core/oncall/index.ts';
import { type Instant, type Wall, wall, zone } from '../../core/time/index.ts';

/** Which column holds what: its name in the first row or, in a table without one, its place from 0. */
export interface Columns {
  readonly who: string;
  readonly as?: string;
  /** Beginning and end in one column each … */
  readonly from?: string;
  readonly until?: string;
  /** … or a date, and times of it; an end that is not later than the beginning is on the next day. */
  readonly date?: string;
  readonly start?: string;
  readonly stop?: string;
}

export interface TableForm {
  readonly columns: Columns;
  /** ',' unless said otherwise. */
  readonly delimiter: string;
  readonly zoneName: string;
  /** Which comes first in 11/12/2026. */
  readonly dates: 'month-first' | 'day-first';
}

const MAX_ROWS = 100_000;
const TOO_MANY = `it has over ${MAX_ROWS} rows`;
const DAY_MS = 86_400_000;

/** The shifts of a table of values. Throws for what is none, with the row at fault. */
export function shiftsOfTable(text: string, form: TableForm): Publication {
  const { columns, delimiter } = form;
  const hasHead = !Object.values(columns).every((column) => /^[0-9]+$/.test(column as string));
  // Counted before anything is built of them.
  if (text.split('\n', MAX_ROWS + 3).length > MAX_ROWS + 2) throw new Error(TOO_MANY);
  const rows = parse(text, {
    delimiter,
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
    trim: true,
    to: MAX_ROWS + 2,
    max_record_size: 65_536,
  });
  if (rows.length > MAX_ROWS + (hasHead ? 1 : 0)) throw new Error(TOO_MANY);
  const head = hasHead ? (rows.shift() ?? []) : [];
  const placeOf = (column: string): number => {
    const place = hasHead ? head.indexOf(column) : Number(column);
    if (place < 0) throw new Error(`it has no column "${column}", but ${head.slice(0, 20).join(', ')}`);
    return place;
  };
  const places = new Map(Object.entries(columns).map(([what, column]) => [what, placeOf(column as string)]));
  const shifts = rows.map((row, i): PublishedShift => {
    const cell = (what: keyof Columns) => row[places.get(what) ?? -1] ?? '';
    const span = spanOf(cell, form);
    if (span === null) throw new Error(`row ${i + (hasHead ? 2 : 1)} has no date and times that can be read`);
    return { who: cell('who'), as: cell('as'), ...span };
  });
  return { shifts, writtenAt: null };
}

function spanOf(cell: (what: keyof Columns) => string, { columns, dates, zoneName }: TableForm) {
  const home = zone(zoneName);
  const span = (from: Wall | null, to: Wall | null): { from: Instant; to: Instant } | null => {
    return from === null || to === null ? null : { from: home.toInstant(from), to: home.toInstant(to) };
  };
  if (columns.date === undefined) {
    return span(momentOf(cell('from'), dates), momentOf(cell('until'), dates));
  }
  const date = dateOf(cell('date'), dates);
  const [start, stop] = [minuteOf(cell('start')), minuteOf(cell('stop'))];
  if (date === null || start === null || stop === null) return null;
  const at = (minute: number) => (date + minute * 60_000) as Wall;
  return span(at(start), (at(stop) + (stop > start ? 0 : DAY_MS)) as Wall);
}

/** "2026-11-22 07:00", "11/22/2026 7:00 AM" */
function momentOf(text: string, dates: TableForm['dates']): Wall | null {
  const [, day, time] = /^(\S+?)[T ]+(.+)$/.exec(text) ?? [];
  const date = dateOf(day ?? text, dates);
  const minute = time === undefined ? 0 : minuteOf(time);
  return date === null || minute === null ? null : ((date + minute * 60_000) as Wall);
}

function dateOf(text: string, dates: TableForm['dates']): Wall | null {
  const iso = wall(text);
  if (iso !== null && text.length === 10) return iso;
  const [, first, second, year] = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})$/.exec(text) ?? [];
  if (first === undefined || second === undefined || year === undefined) return null;
  const [month, day] = dates === 'month-first' ? [first, second] : [second, first];
  return wall(`${year.length === 2 ? `20${year}` : year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`);
}

/** "07:00", "7:00 AM", "0700" */
function minuteOf(text: string): number | null {
  const [, hour, minute, half] = /^(\d{1,2}):?(\d{2})(?::00)?\s*([AaPp][Mm]?)?$/.exec(text.trim()) ?? [];
  if (hour === undefined || minute === undefined) return null;
  const twelve = half === undefined ? Number(hour) : (Number(hour) % 12) + (/^[Pp]/.test(half) ? 12 : 0);
  return twelve > 24 || Number(minute) > 59 ? null : twelve * 60 + Number(minute);
}
