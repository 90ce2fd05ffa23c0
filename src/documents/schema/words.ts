import { z } from 'zod';

/**
 * The small words both kinds of document are made of. A description says how to write the thing: editors show it
 * while one types, and refusals give it as the remedy.
 */

/** Numbers arrive as text, as they were written; an editor may take them for integers. */
export const digits = (how: string) => z.string().meta({ type: ['string', 'integer'], description: how });

export const count = (how: string) =>
  z
    .string()
    .regex(/^[0-9]{1,4}$/)
    .meta({ type: 'integer', pattern: undefined, description: how });

export const text = (how: string) => z.string().min(1).max(80).meta({ description: how });

export const id = (how: string) => z.string().min(1).max(64).meta({ description: how });

export const duration = z
  .string()
  .regex(/^[0-9]{1,4}(s|m)$/)
  .meta({ description: 'write a time as 15s or 2m' });

export function durationMs(written: string): number {
  return Number(written.slice(0, -1)) * (written.endsWith('m') ? 60_000 : 1_000);
}

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** "08:00" in minutes after midnight; "24:00" is the end of a day. */
export function minuteOf(written: string): number | null {
  const parts = /^([0-9]{2}):([0-9]{2})$/.exec(written);
  if (!parts) return null;
  const [hour, minute] = [Number(parts[1]), Number(parts[2])];
  return minute > 59 || hour * 60 + minute > 1_440 ? null : hour * 60 + minute;
}

/** A problem that a shape alone cannot express. */
export function wrong(path: (string | number)[], reason: string, remedy: string) {
  return { code: 'custom' as const, path, message: reason, params: { remedy } };
}

const MAX_TRUNKS = 4;
/** One trunk, or several in the order in which they are tried. */
export const trunks = (how: string) =>
  z.union([id(how), z.array(id(how)).min(1).max(MAX_TRUNKS)]).meta({ description: how });
