import type { AuditRecord } from '../../audit-log/index.ts';
import { Phi } from '../../core/phi/index.ts';

/** How numbers of callers appear: by their last two digits, or as they are. */
export type Numbers = 'masked' | 'shown';

/** The record with its sealed values as plain text. */
export function shownAs(numbers: Numbers, record: AuditRecord): AuditRecord {
  return plain(record, numbers === 'shown' ? String : masked) as AuditRecord;
}

/** A number of an outside caller shows its last two digits, any other text nothing; an extension is nobody's secret. */
export function masked(text: string): string {
  if (/^\+?\d{6,}$/.test(text)) return `…${text.slice(-2)}`;
  return /^\d{1,5}$/.test(text) ? text : '…';
}

function plain(value: unknown, show: (text: string) => string): unknown {
  if (value instanceof Phi) return show(String(value.reveal()));
  if (Array.isArray(value)) return value.map((item) => plain(item, show));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member, show)]));
}
