import type { Config } from '../config/index.ts';
import { type CompiledRoster, rosterInTime } from '../core/oncall/index.ts';
import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { Documents } from '../core/simulate/index.ts';
import { type Instant, plusMs, type Span } from '../core/time/index.ts';
import { compileFiles, type DocumentFile, readFolders, showProblem, versionOf } from '../documents/index.ts';
import type { Store } from '../storage/index.ts';
import { promptIds } from './prompt-ids.ts';
import { Refusal } from './report.ts';

const DAY_MS = 86_400_000;
/** So far a house looks ahead: an answer may name the next who comes. */
const AHEAD_MS = 120 * DAY_MS;

/** What decided a past call, and what is proposed in its place. */
export interface Pair {
  readonly before: Documents;
  readonly proposed: Documents;
}

/**
 * The documents of past calls, compiled once each, and beside each the proposed ones. Both with the overrides as people
 * had made them by then and with what other systems had published: neither is part of a proposal.
 */
export class ReplayDocuments {
  /** What is proposed, as it would be now. */
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly #store: Store;
  readonly #files: readonly DocumentFile[];
  readonly #options: { readonly prompts: ReadonlySet<string>; readonly now: Instant; readonly window: Span };
  readonly #known = new Map<string, Pair | null>();
  readonly #compiled = new Map<string, Documents | null>();

  private constructor(store: Store, files: readonly DocumentFile[], now: Instant, since: Instant) {
    const window = { from: plusMs(since, -7 * DAY_MS), to: plusMs(now, AHEAD_MS) };
    this.#store = store;
    this.#files = files;
    this.#options = { prompts: promptIds(), now, window };
    const compiled = compileFiles([...files, ...store.feeds.documents()], this.#options);
    if (compiled.kind === 'refused') throw new Refusal(compiled.problems.map(showProblem).join('\n'));
    this.plan = compiled.plan;
    this.roster = compiled.roster;
  }

  /** `folders`: the proposed dialplans and oncall folders, those of the house unless given. Throws Refusal for bad ones. */
  static async open(
    store: Store,
    config: Pick<Config, 'dialplans' | 'oncall'>,
    folders: readonly string[],
    { now, since }: { readonly now: Instant; readonly since: Instant },
  ): Promise<ReplayDocuments> {
    if (folders.length > 2) throw new Refusal('--with takes two folders: the dialplans and the oncall one', 2);
    const [dialplans = config.dialplans, oncall = config.oncall] = folders;
    const { files, problems } = await readFolders({ dialplans, oncall });
    if (problems.length > 0) throw new Refusal(problems.map(showProblem).join('\n'));
    return new ReplayDocuments(store, files, now, since);
  }

  /** null when what decided the call is not kept, or cannot be compiled any more. */
  find(used: { readonly plan: string; readonly roster: string } | null): Pair | null {
    if (used === null) return null;
    const name = `${used.plan} ${used.roster}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const files = this.#store.documents.find(used)?.files;
    const before = files === undefined ? null : this.#compile(files);
    const published = new Map(this.#store.feeds.documents().map((file) => [file.path, file]));
    for (const file of files ?? []) if (isFeed(file)) published.set(file.path, file);
    const proposed = this.#compile([...this.#files, ...published.values()]);
    const pair = before === null || proposed === null ? null : { before, proposed };
    this.#known.set(name, pair);
    return pair;
  }

  #compile(files: readonly DocumentFile[]): Documents | null {
    const name = `${versionOf('plan', files)} ${versionOf('roster', files)}`;
    const known = this.#compiled.get(name);
    if (known !== undefined) return known;
    const compiled = compileFiles(files, this.#options);
    const documents =
      compiled.kind === 'ok'
        ? { plan: compiled.plan, roster: rosterInTime(compiled.roster, this.#store.overrides.list()) }
        : null;
    this.#compiled.set(name, documents);
    return documents;
  }
}

function isFeed({ path }: DocumentFile): boolean {
  return path.startsWith('feed:');
}
