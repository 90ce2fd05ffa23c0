import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster } from '../core/oncall/index.ts';
import type { Instant, Span } from '../core/time/index.ts';
import type { DocumentVersion } from '../engine/ports.ts';
import { compileDocuments } from './compile.ts';
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
      readonly files: readonly DocumentFile[];
      readonly version: DocumentVersion;
    }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

/** Reads, checks and compiles both folders. Never throws for what stands in them. */
export async function loadDocuments(options: LoadOptions): Promise<LoadResult> {
  const folders = [await readFolder('roster', options.oncall), await readFolder('plan', options.dialplans)];
  const problems = folders.flatMap((folder) => (folder.kind === 'refused' ? folder.problems : []));
  if (problems.length > 0) return { kind: 'refused', problems };
  const files = folders.flatMap((folder) => (folder.kind === 'read' ? folder.files : []));
  return compileFiles([...files, ...(options.feeds ?? [])], options);
}

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
