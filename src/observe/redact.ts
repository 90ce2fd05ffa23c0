import { Phi } from '../core/phi/index.ts';

const SECRET_KEY =
  /pass(word|phrase|wd)?$|secret|authorization|authenticat|credential|^ha1|identity$|private|cookie|nonce|^pin$|(api|phi|data|control|mac)_?key$|token$/i;
/** SIP and HTTP credentials inside a message: the header's value to the end of its line (RFC 3261 20.7, 20.27, 20.28, 20.44). */
const AUTH_HEADER = /((?:proxy-)?(?:authorization|authenticate)\s*:)[^\r\n]*/gi;
/** RFC 7616 parameters outside such a line. */
const AUTH_PARAMETER = /\b(response|cnonce|nonce|password)\s*=\s*("[^"\r\n]*"|[^\s,;"]+)/gi;
const AGE_IDENTITY = /AGE-SECRET-KEY-1[0-9A-Z]+/gi;
/** An outside number in a SIP URI or an error text: it may be a patient's. */
const E164 = /\+\d{7,15}/g;
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_STRING = 4000;

/**
 * A copy that is safe to write: nobody's number or name, no credential, no secret, bounded in depth and size.
 * Never throws, whatever it is given.
 */
export function redacted(value: unknown): unknown {
  return copy(value, 0, new Set());
}

export function redactedText(text: string): string {
  const short = text.length > MAX_STRING ? `${text.slice(0, MAX_STRING)}…` : text;
  return short
    .replace(AUTH_HEADER, '$1 [redacted]')
    .replace(AUTH_PARAMETER, '$1=[redacted]')
    .replace(AGE_IDENTITY, '[redacted]')
    .replace(E164, '+[number]');
}

function copy(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Phi) return '[phi]';
  if (above.has(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deep]';
  above.add(value);
  try {
    return copyObject(value, depth, above);
  } catch {
    // A getter or proxy of somebody else's object threw.
    return '[unreadable]';
  } finally {
    above.delete(value);
  }
}

function copyObject(value: object, depth: number, above: Set<object>): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  // Bytes may be audio or a key.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return list(value, depth, above);
  if (value instanceof Set) return list([...value], depth, above);
  if (value instanceof Map)
    return members(
      [...value].map(([k, v]) => [String(copy(k, depth + 1, above)), v]),
      depth,
      above,
    );
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    const own = Object.entries(value).filter(([key]) => key !== 'cause');
    const known: [string, unknown][] = [
      ['name', name],
      ['message', message],
      ['stack', stack],
    ];
    return members(
      [...known, ...own, ...(cause === undefined ? [] : [['cause', cause] as [string, unknown]])],
      depth,
      above,
    );
  }
  return members(Object.entries(value), depth, above);
}

function list(items: readonly unknown[], depth: number, above: Set<object>): unknown[] {
  const kept = items.slice(0, MAX_ITEMS).map((item) => copy(item, depth + 1, above));
  return items.length > MAX_ITEMS ? [...kept, `…[+${items.length - MAX_ITEMS}]`] : kept;
}

function members(entries: readonly (readonly [string, unknown])[], depth: number, above: Set<object>): object {
  const out: [string, unknown][] = [];
  for (const [key, value] of entries.slice(0, MAX_ITEMS)) {
    out.push([redactedText(key), SECRET_KEY.test(key) ? '[redacted]' : copy(value, depth + 1, above)]);
  }
  return Object.fromEntries(out);
}
