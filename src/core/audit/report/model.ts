import type { Instant } from '../../time/index.ts';
import type { Fact } from '../facts.ts';
import type { Names } from '../sentence.ts';

export const reportKinds = ['emtala', 'hipaa-access', 'calls', 'time-to-human'] as const;
export type ReportKind = (typeof reportKinds)[number];

/** A report as it stands on paper; html.ts and the PDF show the same. */
export interface ReportPage {
  readonly title: string;
  /** What it is for, and how to read it. */
  readonly note: string;
  readonly sections: readonly Section[];
}

export interface Section {
  readonly heading: string;
  readonly note: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** An entry with its sealed values already as they may be shown. */
export interface ReportEntry {
  readonly seq: number;
  readonly at: Instant;
  readonly callId: string | null;
  readonly fact: Fact;
}

export interface ReportWorld {
  readonly names: Omit<Names, 'leg' | 'wasPickedUp'>;
  /** Unit of a calling extension, by its name; null when it belongs to none. */
  readonly unitOf: (from: string) => string | null;
  /** As the clock on the site's wall shows it. */
  readonly time: (at: Instant) => string;
}

/** Takes the entries of a period, in order, and is then asked for the page. */
export interface ReportBuilder {
  take(entry: ReportEntry): void;
  page(): ReportPage;
}

/** A list that is longer is cut, and says so. */
export const MAX_ROWS = 5000;

export function cutOff(rows: readonly (readonly string[])[]): { rows: readonly (readonly string[])[]; note: string } {
  if (rows.length <= MAX_ROWS) return { rows, note: '' };
  return {
    rows: rows.slice(0, MAX_ROWS),
    note: ` Only the first ${MAX_ROWS} of ${rows.length} are listed; choose a shorter period for the others.`,
  };
}

/** "12.5 s", "3 min 20 s". */
export function duration(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60 === 0 ? '' : ` ${seconds % 60} s`;
  return `${Math.floor(seconds / 60)} min${rest}`;
}

/** The value that `part` of them do not exceed (nearest rank); null for none. */
export function quantile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
}

/** Lists by key, keys in alphabetical order. */
export function grouped<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly (readonly [string, readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
