import type { z } from 'zod';
import type { Layer, Path, Setting } from './layers.ts';
import { knownKeys, schemaAt } from './schema-walk.ts';
import { suggest } from './suggest.ts';

export type Checked<T> =
  | { readonly kind: 'good'; readonly value: T }
  | { readonly kind: 'bad'; readonly problems: readonly string[] };

/**
 * Lays the layers over each other (the later one wins, value by value) and checks the result with the schema.
 * A problem reads "place: key: what is wrong", where the place is a file position, an environment name or a `--set`.
 */
export function check<S extends z.ZodType>(schema: S, layers: readonly Layer[]): Checked<z.output<S>> {
  const broken = layers.flatMap((layer) => (layer.kind === 'broken' ? layer.problems : []));
  if (broken.length > 0) return { kind: 'bad', problems: broken };

  const settings = layers.flatMap((layer) => (layer.kind === 'read' ? layer.settings : []));
  const unknown = settings.flatMap((setting) => unknownKey(schema, setting) ?? []);
  if (unknown.length > 0) return { kind: 'bad', problems: unknown };

  const parsed = schema.safeParse(lay(schema, settings), { reportInput: true });
  if (parsed.success) return { kind: 'good', value: parsed.data };
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const setting = settings.findLast((s) => isWithin(path, s.path) || isWithin(s.path, path));
    return `${where(setting?.place ?? 'configuration', path)}: ${says(issue)}`;
  });
  return { kind: 'bad', problems: [...new Set(problems)] };
}

/** The first word of a path that the schema does not know, with the nearest word it does know. */
function unknownKey(schema: z.ZodType, setting: Setting): string | null {
  for (let depth = 1; depth <= setting.path.length; depth++) {
    const at = setting.path.slice(0, depth);
    if (schemaAt(schema, at) !== null) continue;
    const parent = schemaAt(schema, at.slice(0, -1));
    const keys = parent === null ? null : knownKeys(parent);
    if (keys === null) {
      const above = at.slice(0, -1).join('.');
      return `${where(setting.place, setting.path)}: ${above} is a single value and has no keys below it`;
    }
    const nearest = suggest(String(at.at(-1)), Object.keys(keys));
    const remedy =
      nearest === null
        ? `known here are ${Object.keys(keys).join(', ')}`
        : `did you mean ${[...at.slice(0, -1), nearest].join('.')}?`;
    return `${where(setting.place, at)}: there is no such key: ${remedy}`;
  }
  return null;
}

/** "wardline.yaml:3:9: sip.port"; a `--set` names the key already. */
function where(place: string, path: Path): string {
  const key = path.join('.');
  return place.endsWith(` ${key}`) ? place : `${place}: ${key}`;
}

function lay(schema: z.ZodType, settings: readonly Setting[]): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const setting of settings) {
    const last = setting.path.at(-1);
    if (last === undefined) continue;
    let at = whole;
    for (const word of setting.path.slice(0, -1)) {
      const below = Object.hasOwn(at, word) ? at[word] : undefined;
      if (isPlain(below)) {
        at = below;
      } else {
        const made: Record<string, unknown> = {};
        define(at, word, made);
        at = made;
      }
    }
    // An empty map in a later layer says nothing; it must not wipe out what an earlier one said.
    if (isPlain(setting.value) && Object.keys(setting.value).length === 0 && isPlain(at[last])) continue;
    define(at, last, typed(schema, setting));
  }
  return whole;
}

/** A key from a file may be called "__proto__"; defining it keeps it a key. */
function define(object: Record<string, unknown>, key: string | number, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

/** Text from a shell is a number where a number is wanted and stays text where text is wanted ("+12025550100"). */
function typed(schema: z.ZodType, setting: Setting): unknown {
  if (setting.text === undefined) return setting.value;
  const leaf = schemaAt(schema, setting.path) as z.ZodType | null;
  if (leaf === null || leaf.safeParse(setting.value).success) return setting.value;
  return leaf.safeParse(setting.text).success ? setting.text : setting.value;
}

function says(issue: z.core.$ZodIssue): string {
  // What is wrong with a secret is said without the secret.
  const input = issue.path.at(-1) === 'secret' ? 'the value' : shown(issue.input);
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing: give ${article(issue.expected)}`
        : `${input} is not ${article(issue.expected)}`;
    case 'too_small':
      return issue.origin === 'string' && Number(issue.minimum) === 1
        ? 'is empty: give a value'
        : `${input} is too small: the least is ${issue.minimum}`;
    case 'too_big':
      return `${input} is too large: the most is ${issue.maximum}`;
    case 'invalid_value':
      return `${input} is not one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `there is no such key here: ${issue.keys.join(', ')}`;
    case 'invalid_union':
      return issue.message === 'Invalid input' ? `${input} is not allowed here` : `${input} ${issue.message}`;
    default:
      return `${input}: ${issue.message}`;
  }
}

function article(expected: string): string {
  const words: Record<string, string> = {
    int: 'a whole number',
    number: 'a number',
    string: 'a text',
    boolean: 'true or false',
    array: 'a list',
    object: 'a group of keys',
    record: 'a group of keys',
  };
  return words[expected] ?? `a ${expected}`;
}

/** At most 60 characters of a value, as somebody would type it. */
function shown(input: unknown): string {
  const text = typeof input === 'string' ? `"${input}"` : (JSON.stringify(input) ?? String(input));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWithin(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((part, i) => String(part) === String(path[i]));
}
