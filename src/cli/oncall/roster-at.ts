import { existsSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import type { CompiledPlan } from '../../core/dialplan/index.ts';
import type { CompiledRoster } from '../../core/oncall/index.ts';
import type { Instant, Span } from '../../core/time/index.ts';
import { compileFiles, rosterWindow, showProblem } from '../../documents/index.ts';
import { openStore } from '../../storage/index.ts';
import { dataFolders } from '../folders.ts';
import { promptIds } from '../prompt-ids.ts';
import { Refusal } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';

export interface RosterThen {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  /** When another version came into force; null for what is in force, or will be. */
  readonly until: Instant | null;
}

/**
 * Who was on call is answered from the version that was in force then, with the overrides that were made by then: an
 * edit of the rules never changes the past. From now on it is the files that count, also while no house is up.
 */
export async function rosterAt(config: Config, at: Instant, now: Instant, window?: Span): Promise<RosterThen> {
  const { store: path } = dataFolders(config.data);
  if (at >= now || !existsSync(path)) return { ...(await siteDocuments(config, at, window)), until: null };
  const store = await openStore(path, { as: 'reader' });
  try {
    const found = store.documents.inForceAt(at);
    // A house that has never been up has no past; its files say who would have been.
    if (found === null && store.documents.lastGood() === null)
      return { ...(await siteDocuments(config, at, window)), until: null };
    if (found === null) throw new Refusal('no roster of this house was in force at that time');
    const compiled = compileFiles(found.version.files, {
      prompts: promptIds(),
      now: at,
      window: window ?? rosterWindow(at),
    });
    if (compiled.kind === 'refused') {
      const why = compiled.problems.map(showProblem)[0] ?? '';
      throw new Refusal(`the roster that was in force then cannot be read by this Wardline: ${why}`);
    }
    return { plan: compiled.plan, roster: compiled.roster.withOverrides(store.overrides.list()), until: found.until };
  } finally {
    await store.close();
  }
}
