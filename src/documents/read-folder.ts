import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DocumentFile, DocumentKind } from './document-file.ts';
import type { DocumentProblem } from './problem.ts';

export const MAX_FILE_BYTES = 1_048_576;
export const MAX_FILES = 200;
const MAX_FOLDER_BYTES = 16_777_216;

export type ReadResult =
  | { readonly kind: 'read'; readonly files: readonly DocumentFile[] }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

/** Reads the YAML files of a folder, not of its subfolders; what editors leave beside them is no document. */
export async function readFolder(kind: DocumentKind, folder: string): Promise<ReadResult> {
  let names: readonly string[];
  try {
    names = await documentNames(folder);
  } catch (error) {
    return refused(
      folder,
      `the folder cannot be read: ${codeOf(error)}`,
      'create it, or name another one in the configuration',
    );
  }
  if (names.length === 0) return refused(folder, 'there is no document in it', 'add a .yaml file');
  if (names.length > MAX_FILES) return refused(folder, `${names.length} files`, `use at most ${MAX_FILES}`);
  const files: DocumentFile[] = [];
  const problems: DocumentProblem[] = [];
  let totalBytes = 0;
  for (const name of names) {
    const file = path.join(folder, name);
    const content = await readBounded(file);
    if (typeof content !== 'string') problems.push(content);
    else files.push({ kind, path: file, text: content });
    totalBytes += typeof content === 'string' ? content.length : 0;
    if (totalBytes > MAX_FOLDER_BYTES) return refused(folder, 'the documents are over 16 MB', 'remove some');
  }
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'read', files };
}

/** Changes whenever a document in the folder was written, added or removed. */
export async function fingerprint(folder: string): Promise<string> {
  try {
    const names = await documentNames(folder);
    const stats = await Promise.all(names.slice(0, MAX_FILES + 1).map((name) => stamp(path.join(folder, name))));
    return stats.join('\n');
  } catch (error) {
    return `unreadable: ${codeOf(error)}`;
  }
}

async function documentNames(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter(isDocumentName).sort();
}

/** Hidden files are what editors write before they rename. */
export function isDocumentName(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name);
}

async function stamp(file: string): Promise<string> {
  try {
    const { size, mtimeNs, ino } = await stat(file, { bigint: true });
    return `${file} ${size} ${mtimeNs} ${ino}`;
  } catch (error) {
    return `${file} ${codeOf(error)}`;
  }
}

async function readBounded(file: string): Promise<string | DocumentProblem> {
  try {
    // What a refusal quotes must not be a secret that somebody linked to; links inside (as of a config map) are fine.
    const real = await realpath(file);
    if (!real.startsWith(`${await realpath(path.dirname(file))}${path.sep}`)) {
      return problemOf(file, 'the file is a link that leads out of the folder', 'copy the document into the folder');
    }
    // A pipe would be waited for without end.
    await using handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if (!(await handle.stat()).isFile()) return problemOf(file, 'this is not a file', 'remove it, or rename it');
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > MAX_FILE_BYTES) return problemOf(file, 'the file is over 1 MB', 'split it into several files');
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } catch (error) {
    if (error instanceof TypeError) return problemOf(file, 'the file is not UTF-8 text', 'save it as UTF-8');
    return problemOf(file, `the file cannot be read: ${codeOf(error)}`, 'check its owner and its mode');
  }
}

function refused(place: string, reason: string, remedy: string): ReadResult {
  return { kind: 'refused', problems: [problemOf(place, reason, remedy)] };
}

function problemOf(file: string, reason: string, remedy: string): DocumentProblem {
  return { file, line: 1, column: 1, reason, remedy, suggestion: null };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
