import type { ParsedFile } from './parse-yaml.ts';
import { type DocumentProblem, problemAt } from './problem.ts';

/** A file and what its schema made of it. */
export interface Written<T> {
  readonly file: ParsedFile;
  readonly content: T;
}

/** An entry of a section, such as one person, and the file it stands in. */
export interface Entry<T> {
  readonly id: string;
  readonly file: ParsedFile;
  readonly written: T;
}

/** More faults of one pass tell nobody anything. */
export const MAX_PLACED = 100;

/** The entries of one section from all files. What two files define is a problem that names both places. */
export function mergeSection<T>(
  section: string,
  parts: readonly { readonly file: ParsedFile; readonly entries: Readonly<Record<string, T>> | undefined }[],
  problems: DocumentProblem[],
): ReadonlyMap<string, Entry<T>> {
  const merged = new Map<string, Entry<T>>();
  for (const { file, entries } of parts) {
    for (const [id, written] of Object.entries(entries ?? {})) {
      const first = merged.get(id);
      // To place a fault is to look through its file.
      if (first && problems.length >= MAX_PLACED) continue;
      if (first) problems.push(definedTwice(file, first.file, [section, id], `"${id}"`));
      else merged.set(id, { id, file, written });
    }
  }
  return merged;
}

export function definedTwice(
  file: ParsedFile,
  first: ParsedFile,
  path: readonly string[],
  what: string,
  firstPath = path,
): DocumentProblem {
  const { line, column } = first.place(firstPath, 'key');
  const reason = `${what} is already defined at ${first.path}:${line}:${column}`;
  return problemAt(file, path, 'key', { reason, remedy: 'remove one of them', suggestion: null });
}
