import { createHash } from 'node:crypto';
import path from 'node:path';
import type { DocumentVersion } from '../engine/ports.ts';

/** One YAML file, word for word. `path` is where a person finds it. */
export type DocumentFile = DocumentVersion['files'][number];
export type DocumentKind = DocumentFile['kind'];

/** Content hash of all files of one kind, "sha256:…". The folder they lie in does not count, their names do. */
export function versionOf(kind: DocumentKind, files: readonly DocumentFile[]): string {
  const hash = createHash('sha256');
  const own = files.filter((file) => file.kind === kind).map((file) => ({ ...file, name: path.basename(file.path) }));
  own.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, text } of own) hash.update(`${name.length}:${name}${text.length}:`).update(text);
  return `sha256:${hash.digest('hex')}`;
}
