import { z } from 'zod';
import { didYouMean } from '../core/oncall/index.ts';
import type { ParsedFile } from './parse-yaml.ts';
import { type DocumentProblem, problemAt } from './problem.ts';

const MAX_PROBLEMS = 50;

/** Checks a file against the schema of its kind: the shape as TypeScript knows it, or every fault with its place. */
export function checkShape<T>(
  schema: z.ZodType<T>,
  file: ParsedFile,
): { readonly kind: 'fits'; readonly written: T } | { readonly kind: 'refused'; readonly problems: DocumentProblem[] } {
  const result = schema.safeParse(file.value);
  if (result.success) return { kind: 'fits', written: result.data };
  const { issues } = result.error;
  const misspelled = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(placeOf));
  const faults = issues
    .slice(0, 4 * MAX_PROBLEMS)
    // A rule about the keys of a group says nothing new where one of the keys was misspelled.
    .filter((issue) => issue.code !== 'custom' || !misspelled.has(placeOf(issue)))
    .flatMap((issue) => faultsOf(issue, schema, file.value, []));
  const problems = faults.slice(0, MAX_PROBLEMS).map(({ path, on, ...fault }) => problemAt(file, path, on, fault));
  return { kind: 'refused', problems };
}

function placeOf({ path }: z.core.$ZodIssue): string {
  return path.join('.');
}

interface Fault {
  readonly path: readonly string[];
  readonly on: 'key' | 'value';
  readonly reason: string;
  readonly remedy: string;
  readonly suggestion: string | null;
}

function faultsOf(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown, above: readonly string[]): Fault[] {
  const path = [...above, ...issue.path.map(String)];
  const at = schemaAt(schema, path);
  const found = valueAt(value, path);
  const fault = { path, on: 'value', remedy: remedyOf(at), suggestion: null } as const;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = at === null ? [] : keysOf(at);
      return issue.keys.slice(0, MAX_PROBLEMS).map((key) => ({
        path: [...path, key],
        on: 'key',
        reason: `unknown key "${key}"`,
        remedy: `use one of: ${known.join(', ')}`,
        suggestion: didYouMean(key, known),
      }));
    }
    case 'invalid_union': {
      const branch = nearestBranch(issue.errors);
      if (branch) return branch.flatMap((inner) => faultsOf(inner, schema, value, path));
      return [{ ...fault, reason: `${show(found)} does not fit here` }];
    }
    case 'invalid_value': {
      const known = issue.values.map(String);
      if (found === undefined) return [missing(path, at)];
      const suggestion = typeof found === 'string' ? didYouMean(found, known) : null;
      return [
        { ...fault, reason: `${show(found)} does not fit here`, remedy: `use one of: ${known.join(', ')}`, suggestion },
      ];
    }
    case 'custom':
      return [{ ...fault, reason: issue.message, remedy: String(issue.params?.['remedy'] ?? fault.remedy) }];
    default:
      return [found === undefined ? missing(path, at) : { ...fault, reason: `${show(found)} does not fit here` }];
  }
}

/** The branch whose own form fits, so that its inner faults are what the author wants to know. */
function nearestBranch(branches: readonly z.core.$ZodIssue[][]): readonly z.core.$ZodIssue[] | undefined {
  return branches.find((issues) => issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'));
}

function missing(path: readonly string[], schema: z.ZodType | null): Fault {
  const key = path.at(-1) ?? 'document';
  const remedy = `add "${key}": ${remedyOf(schema)}`;
  return { path: path.slice(0, -1), on: 'key', reason: `"${key}" is missing`, remedy, suggestion: null };
}

function show(value: unknown): string {
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return 'a list';
  // YAML in the core schema gives text, booleans, lists and groups; numbers were turned into text.
  return typeof value === 'string' || typeof value === 'boolean' ? `"${value}"`.slice(0, 60) : 'a group of keys';
}

function remedyOf(schema: z.ZodType | null): string {
  for (let inner = schema; inner !== null; inner = unwrapped(inner)) {
    if (inner.description !== undefined) return inner.description;
  }
  return 'see the README in this folder';
}

function keysOf(schema: z.ZodType): readonly string[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysOf(option as z.ZodType));
  return [];
}

function schemaAt(root: z.ZodType, path: readonly string[]): z.ZodType | null {
  let here: z.ZodType | null = root;
  for (const part of path) here = here && below(here, part);
  return here;
}

function below(schema: z.ZodType, part: string): z.ZodType | null {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) {
    return (inner.shape as Record<string, z.ZodType>)[part] ?? (inner.def.catchall as z.ZodType | undefined) ?? null;
  }
  if (inner instanceof z.ZodRecord) return inner.valueType as z.ZodType;
  if (inner instanceof z.ZodArray) return inner.element as z.ZodType;
  if (!(inner instanceof z.ZodUnion)) return null;
  for (const option of inner.options) {
    const found = below(option as z.ZodType, part);
    if (found) return found;
  }
  return null;
}

function bare(schema: z.ZodType): z.ZodType {
  const inner = unwrapped(schema);
  return inner === null ? schema : bare(inner);
}

function unwrapped(schema: z.ZodType): z.ZodType | null {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodLazy ? (schema.unwrap() as z.ZodType) : null;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((here, part) => (here as Record<string, unknown> | null | undefined)?.[part], value);
}
