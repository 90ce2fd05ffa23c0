import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster, Problem } from '../core/oncall/index.ts';
import type { Instant, Span } from '../core/time/index.ts';
import type { DocumentVersion } from '../engine/ports.ts';
import { type CheckedSource, compileDocuments } from './compile.ts';
import { type DocumentFile, versionOf } from './document-file.ts';
import type { DocumentProblem } from './problem.ts';
import { readFolder } from './read-folder.ts';
import { rosterWindow } from './roster-window.ts';

export interface LoadOptions {
  /** Folder of the dialplans. */
  readonly dialplans: string;
  /** Folder of the rosters. */
  readonly oncall: string;
  /** Ids of the prompts that can be played. */
  readonly prompts: ReadonlySet<string>;
  readonly now: Instant;
  /** What other systems published, as documents. */
  readonly feeds?: readonly DocumentFile[];
  /** What the roster is laid out for; by default a week back and 120 days ahead. */
  readonly window?: Span;
}

export type LoadResult =
  | {
      readonly kind: 'ok';
      readonly plan: CompiledPlan;
      readonly roster: CompiledRoster;
      readonly source: CheckedSource;
      readonly place: (problem: Problem) => DocumentProblem;
      readonly files: readonly DocumentFile[];
      readonly version: DocumentVersion;
    }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

/** Reads, checks and compiles both folders. Never throws for what stands in them. */
export async function loadDocuments(options: LoadOptions): Promise<LoadResult> {
  const read = await readFolders(options);
  return read.problems.length > 0
    ? { kind: 'refused', problems: read.problems }
    : compileFiles([...read.files, ...(options.feeds ?? [])], options);
}

/** What stands in both folders, as far as it can be read. */
export async function readFolders({ oncall, dialplans }: Pick<LoadOptions, 'oncall' | 'dialplans'>): Promise<{
  readonly files: readonly DocumentFile[];
  readonly problems: readonly DocumentProblem[];
}> {
  const folders = [await readFolder('roster', oncall), await readFolder('plan', dialplans)];
  return {
    files: folders.flatMap((folder) => (folder.kind === 'read' ? folder.files : [])),
    problems: folders.flatMap((folder) => (folder.kind === 'refused' ? folder.problems : [])),
  };
}

/**
 * Where some files cannot be used, the others with what is in force of the broken ones: one department can be changed
 * while another is broken. Refused when that does not go together, or changes nothing.
 */
export function compileGoodFiles(
  files: readonly DocumentFile[],
  inForce: readonly DocumentFile[],
  options: Pick<LoadOptions, 'prompts' | 'now' | 'window'>,
): LoadResult {
  let mixed = files;
  let result = compileFiles(mixed, options);
  for (let round = 0; round < MAX_ROUNDS && result.kind === 'refused'; round++) {
    const broken = new Set(result.problems.map(({ file }) => file));
    const next = mixed.flatMap((file) => {
      if (!broken.has(file.path)) return [file];
      return inForce.filter(({ path, kind }) => path === file.path && kind === file.kind);
    });
    if (next.length === mixed.length && next.every((file, i) => file.text === mixed[i]?.text)) return result;
    mixed = next;
    result = compileFiles(mixed, options);
  }
  return result;
}

/** What is taken back may show that others need it; that ends soon. */
const MAX_ROUNDS = 5;

export function compileFiles(
  files: readonly DocumentFile[],
  { prompts, now, window = rosterWindow(now) }: Pick<LoadOptions, 'prompts' | 'now' | 'window'>,
): LoadResult {
  const compiled = compiledOrRefused(files, { prompts, window });
  if (compiled.kind === 'refused') return compiled;
  const version = { plan: versionOf('plan', files), roster: versionOf('roster', files), at: now, files };
  return { ...compiled, files, version };
}

/** A mistake of ours in here must not end the house that looks at its documents: what was in force is good enough. */
function compiledOrRefused(...given: Parameters<typeof compileDocuments>): ReturnType<typeof compileDocuments> {
  try {
    return compileDocuments(...given);
  } catch (error) {
    const [files] = given;
    const reason = `the documents could not be checked: ${error instanceof Error ? error.message : String(error)}`;
    const remedy = 'this is a mistake in Wardline: undo the last change, and report it';
    const place = { file: files[0]?.path ?? '', line: 1, column: 1 };
    return { kind: 'refused', problems: [{ ...place, reason, remedy, suggestion: null }] };
  }
}
