import { existsSync } from 'node:fs';
import type { Config } from '../config/index.ts';
import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster, ShiftOverride } from '../core/oncall/index.ts';
import { instant, type Instant, type Span } from '../core/time/index.ts';
import { compileFiles, type DocumentFile, loadDocuments, rosterWindow, showProblem } from '../documents/index.ts';
import type { DocumentVersion } from '../engine/ports.ts';
import type { Store } from '../storage/index.ts';
import { dataFolders } from './folders.ts';
import { promptIds } from './prompt-ids.ts';
import { Refusal } from './report.ts';
import { showTime } from './site-time.ts';

export type SiteDocuments =
  | {
      readonly kind: 'good';
      readonly plan: CompiledPlan;
      readonly roster: CompiledRoster;
      readonly files: readonly DocumentFile[];
    }
  | { readonly kind: 'bad'; readonly problems: readonly string[] };

/** The documents as they lie in the folders now, laid out around `at`. */
export async function checkDocuments(config: Config, at: Instant, window = rosterWindow(at)): Promise<SiteDocuments> {
  const { dialplans, oncall } = config;
  const feeds = await feedsOf(config);
  const loaded = await loadDocuments({ dialplans, oncall, prompts: promptIds(), now: at, window, feeds });
  if (loaded.kind === 'refused') return { kind: 'bad', problems: loaded.problems.map(showProblem) };
  return { kind: 'good', plan: loaded.plan, roster: loaded.roster, files: loaded.files };
}

/** What other systems published, as it was taken last. */
export async function feedsOf(config: Config): Promise<readonly DocumentFile[]> {
  return (await fromStore(config, (store) => store.feeds.documents())) ?? [];
}

/** What people have changed about who is on call. */
export async function overridesOf(config: Config): Promise<readonly ShiftOverride[]> {
  return (await fromStore(config, (store) => store.overrides.list())) ?? [];
}

/** null where no house was started yet. */
async function fromStore<T>(config: Config, read: (store: Store) => T): Promise<T | null> {
  const { store: path } = dataFolders(config.data);
  if (!existsSync(path)) return null;
  const { openStore } = await import('../storage/index.ts');
  const store = await openStore(path, { as: 'reader' });
  try {
    return read(store);
  } finally {
    await store.close();
  }
}

/** As `checkDocuments`, with the overrides made by hand; refused when they cannot be used. */
export async function siteDocuments(
  config: Config,
  at: Instant,
  window?: Span,
): Promise<Extract<SiteDocuments, { kind: 'good' }>> {
  const documents = await checkDocuments(config, at, window);
  if (documents.kind === 'good') {
    return { ...documents, roster: documents.roster.withOverrides(await overridesOf(config)) };
  }
  throw new Refusal(
    [
      ...documents.problems,
      '(a house that is up goes on with the last good version; "wardline plan check" looks again)',
    ].join('\n'),
  );
}

/** Times for a person: as the clock on the site's wall shows them, UTC when the documents do not say where that is. */
export interface SiteClock {
  show(at: Instant): string;
  /** Which zone the times are in, for below a table. */
  readonly note: string;
}

export async function siteClock(config: Config, store: Store): Promise<SiteClock> {
  const documents = await knownDocuments(config, store);
  const name = documents?.plan.source.zone ?? 'UTC';
  return { show: (at) => showTime(at, name), note: `Times are of ${name}.` };
}

/** What names and times are shown by: the files, or while they are broken the version that is in force. */
export async function knownDocuments(
  config: Config,
  store: Store,
): Promise<{ readonly plan: CompiledPlan; readonly roster: CompiledRoster } | null> {
  const documents = await checkDocuments(config, instant(Date.now()));
  if (documents.kind === 'good') return documents;
  const lastGood = store.documents.lastGood();
  return lastGood && compileVersion(lastGood);
}

/** null when it cannot be compiled any more, by a newer Wardline or with other prompts. */
export function compileVersion(
  version: DocumentVersion,
): { readonly plan: CompiledPlan; readonly roster: CompiledRoster } | null {
  const window = rosterWindow(version.at);
  const compiled = compileFiles(version.files, { prompts: promptIds(), now: version.at, window });
  return compiled.kind === 'ok' ? compiled : null;
}
