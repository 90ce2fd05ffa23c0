/**
 * The canonical form of an audit entry: the one text whose bytes are chained. Deterministic JSON in UTF-8: keys sorted
 * by code unit, no white space, integers only, strings well formed and in NFC, every size bounded.
 * docs/reference/audit-chain.md is its specification.
 */
import { Phi, phi } from '../phi/index.ts';
import type { Fact } from './facts.ts';

export interface CanonicalInput {
  /** Unique for ever: an entry that was spooled and perhaps written after all is recognised by it. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly callId: string | null;
  readonly fact: Fact;
  /** Turns the text of a Phi value into ciphertext. */
  readonly seal: (text: string) => string;
}

/** What a body says, with sealed values back in `Phi`. */
export interface ReadEntry {
  readonly id: string;
  readonly at: number;
  readonly callId: string | null;
  readonly fact: Fact;
  /** The store could not take the entry in time; it was written later than it happened. */
  readonly isLate: boolean;
}

/** Our mistake: a fact that holds something the canonical form has no word for. */
export class CanonicalError extends Error {
  override readonly name = 'CanonicalError';
}

export const MAX_STRING = 4096;
export const MAX_ITEMS = 512;
const MAX_DEPTH = 8;
const SEALED = '$sealed';
const LATE = ',"late":true}';

/** Throws CanonicalError for floats, functions, symbols, bigints, cycles and keys that begin with "$". */
export function canonicalBody(input: CanonicalInput): string {
  const { at, callId, fact, id, seal } = input;
  const when = canonicalJson(at, seal);
  const call = callId === null ? 'null' : quoted(callId);
  return `{"at":${when},"callId":${call},"fact":${canonicalJson(fact, seal, 1)},"id":${quoted(id)}}`;
}

/** The same body, flagged late. "late" sorts behind every other key, so it is put at the end. */
export function markLate(body: string): string {
  return body.endsWith(LATE) ? body : body.slice(0, -1) + LATE;
}

/** `open` gives the text that was sealed, or null when it cannot; what stays closed reads "[sealed]". */
export function readBody(body: string, open: (sealed: string) => string | null): ReadEntry {
  const raw = JSON.parse(body, (_key, value: unknown) => {
    if (!isSealed(value)) return value;
    const text = open(value[SEALED]);
    return phi(text === null ? '[sealed]' : (JSON.parse(text) as unknown));
  }) as Omit<ReadEntry, 'isLate'> & { late?: boolean };
  return { id: raw.id, at: raw.at, callId: raw.callId, fact: raw.fact, isLate: raw.late === true };
}

export function canonicalJson(value: unknown, seal: (text: string) => string, depth = 0): string {
  if (depth > MAX_DEPTH) throw new CanonicalError(`nested deeper than ${MAX_DEPTH}`);
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      // -0 would be written as 0 and read back as another number.
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new CanonicalError(`${value} is not an integer`);
      return String(value);
    case 'string':
      return quoted(value);
    case 'object':
      return canonicalObject(value, seal, depth);
    default:
      throw new CanonicalError(`a ${typeof value} cannot be written`);
  }
}

function canonicalObject(value: object, seal: (text: string) => string, depth: number): string {
  if (value instanceof Phi)
    return `{"${SEALED}":${JSON.stringify(seal(canonicalJson(value.reveal(), seal, depth + 1)))}}`;
  if (Array.isArray(value)) return canonicalArray(value, seal, depth);
  let out = '';
  for (const { key, opening } of shapeOf(Object.keys(value))) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    out += (out === '' ? '' : ',') + opening + canonicalJson(member, seal, depth + 1);
  }
  return `{${out}}`;
}

interface Member {
  readonly key: string;
  /** The key as it is written, with its colon. */
  readonly opening: string;
}

/** Facts come in few shapes; each is sorted and checked once. */
const shapes = new Map<string, readonly Member[]>();
const MAX_SHAPES = 1000;

function shapeOf(keys: readonly string[]): readonly Member[] {
  const name = JSON.stringify(keys);
  const known = shapes.get(name);
  if (known !== undefined) return known;
  if (keys.length > MAX_ITEMS) throw new CanonicalError(`${keys.length} keys in one object`);
  const shape = keys.toSorted().map((key) => {
    if (key.startsWith('$')) throw new CanonicalError(`the key ${key} is reserved`);
    return { key, opening: `${quoted(key)}:` };
  });
  if (shapes.size >= MAX_SHAPES) shapes.clear();
  shapes.set(name, shape);
  return shape;
}

/** A list that is too long keeps its beginning and says how much is missing: a fact is never refused for its size. */
function canonicalArray(value: readonly unknown[], seal: (text: string) => string, depth: number): string {
  const kept = value.slice(0, MAX_ITEMS).map((item) => canonicalJson(item, seal, depth + 1));
  if (value.length > MAX_ITEMS) kept.push(JSON.stringify(`…[+${value.length - MAX_ITEMS}]`));
  return `[${kept.join(',')}]`;
}

/** Printable ASCII without quote and backslash stands for itself; nearly every text is of that kind. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return text.length <= MAX_STRING && PLAIN.test(text) ? `"${text}"` : JSON.stringify(bounded(text));
}

function bounded(text: string): string {
  const cut = text.length > MAX_STRING ? `${text.slice(0, MAX_STRING)}…[+${text.length - MAX_STRING}]` : text;
  return cut.toWellFormed().normalize('NFC');
}

function isSealed(value: unknown): value is { readonly [SEALED]: string } {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[SEALED] === 'string';
}
