import type { Config } from '../config/index.ts';
import { type LostWays, lostWays } from '../core/dialplan/index.ts';
import type { CompiledRoster } from '../core/oncall/index.ts';
import { instant } from '../core/time/index.ts';
import { compileFiles, type DocumentFile, faultsBrought, readFolders, showProblem } from '../documents/index.ts';
import type { Store } from '../storage/index.ts';
import { promptIds } from './prompt-ids.ts';

export interface House {
  readonly config: Config;
  readonly store: Store;
}

/** What a plan takes away from callers, against the one in force. */
export interface Lost extends LostWays {
  /** As people know the services. */
  readonly names: readonly string[];
}

export type JudgedPlan =
  | { readonly kind: 'good'; readonly lost: Lost }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** Against the roster as it lies in its folder: they come into force together. */
export async function judgedPlan({ config, store }: House, plan: readonly DocumentFile[]): Promise<JudgedPlan> {
  const { files, problems } = await readFolders(config);
  const roster = files.filter(({ kind }) => kind === 'roster');
  const unreadable = problems.filter(({ file }) => file.startsWith(config.oncall));
  if (unreadable.length > 0) return { kind: 'refused', problems: unreadable.map(showProblem) };
  const options = { prompts: promptIds(), now: instant(Date.now()) };
  const compiled = compileFiles([...roster, ...plan, ...store.feeds.documents()], options);
  if (compiled.kind === 'refused') return { kind: 'refused', problems: compiled.problems.map(showProblem) };
  const lastGood = store.documents.lastGood();
  // What people have changed about who is on call counts on either side.
  const overrides = store.overrides.list();
  const changed = <Version extends { readonly roster: CompiledRoster }>(one: Version): Version => {
    return { ...one, roster: one.roster.withOverrides(overrides) };
  };
  const result = lastGood && compileFiles(lastGood.files, options);
  const before = result?.kind === 'ok' ? changed(result) : null;
  const faults = faultsBrought(changed(compiled), () => before, options.now);
  if (faults.length > 0) return { kind: 'refused', problems: faults.map(showProblem) };
  const lost = before === null ? { numbers: [], services: [] } : lostWays(before.plan, compiled.plan);
  const names = lost.services.map((id) => before?.roster.service(id)?.name ?? id);
  return { kind: 'good', lost: { ...lost, names } };
}

const MAX_SHOWN = 10;

/** For whoever has just activated a plan: it may be meant, and nobody should find out by dialling. */
export function lostLines({ numbers, names }: Lost): readonly string[] {
  const some = (all: readonly string[]) => {
    const more = all.length > MAX_SHOWN ? ` and ${all.length - MAX_SHOWN} more (--json has all)` : '';
    return `${all.slice(0, MAX_SHOWN).join(', ')}${more}`;
  };
  return [
    ...(numbers.length === 0
      ? []
      : [`NOBODY ON CALL is behind ${some(numbers)} any more: the plan before rang a chain.`]),
    ...(names.length === 0 ? [] : [`NO NUMBER leads to ${some(names)} any more.`]),
  ];
}
