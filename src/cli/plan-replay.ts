import type { AuditRecord } from '../audit-log/index.ts';
import type { Config } from '../config/index.ts';
import type { CallFact } from '../core/audit/index.ts';
import { endCauses } from '../core/call/index.ts';
import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster } from '../core/oncall/index.ts';
import { type RecordedFact, replay, type Replayed, type StoryEnd } from '../core/simulate/index.ts';
import { type Instant, instant, plusMs, type Span } from '../core/time/index.ts';
import { compileFiles, loadDocuments, showProblem } from '../documents/index.ts';
import type { CallRow, Store } from '../storage/index.ts';
import { auditReader } from './audit-reader.ts';
import { documentsOf } from './call.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { namesIn, type SiteNames } from './names.ts';
import { promptIds } from './prompt-ids.ts';
import { done, no, Refusal, type Report, table, wrapped } from './report.ts';
import { siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';

interface Documents {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
}

interface ReplayOptions extends CommonOptions {
  readonly since: string;
  readonly with?: readonly string[];
}

/** Neither the same nor to the same end. */
type Otherwise = Exclude<Replayed, { kind: 'same' } | { kind: 'alike' }>;

const DAY_MS = 86_400_000;
/** What a busy hospital has in a quarter. */
const MAX_CALLS = 100_000;

export function replayCommand(plan: ReturnType<Commands['group']>, answer: Commands['answer']): void {
  plan('replay')
    .description('which past calls would have gone otherwise under other documents')
    .option('--since <days>', 'how far to go back, in days', '7d')
    .option('--with <folders...>', 'the proposed dialplans and oncall folders (default: those of the house)')
    .action(answer(replayed));
}

async function replayed(options: ReplayOptions): Promise<Report> {
  const config = siteConfig(options);
  const now = instant(Date.now());
  const since = plusMs(now, -daysOf(options.since) * DAY_MS);
  // Shifts of every call that is asked about, and of whoever it rings afterwards.
  const window: Span = { from: plusMs(since, -DAY_MS), to: plusMs(now, DAY_MS) };
  const proposed = await proposedDocuments(config, options.with ?? [], { now, window });
  const { store, secrets } = await siteStore(config, 'reader');
  try {
    const reader = auditReader(config, store, secrets);
    const versions = new Versions(store, window, now);
    const clock = await siteClock(config, store);
    const names = namesIn(proposed.plan, proposed.roster);
    const changed: { row: CallRow; verdict: Otherwise }[] = [];
    const counts = { calls: 0, same: 0, alike: 0, left: 0 };
    for await (const row of callsSince(store, since)) {
      counts.calls += 1;
      const verdict = replayOf(await reader.ofCall(row.callId), versions, proposed);
      if (verdict === null) counts.left += 1;
      else if (verdict.kind === 'same' || verdict.kind === 'alike') counts[verdict.kind] += 1;
      else changed.push({ row, verdict });
    }
    const rows = changed.map(({ row, verdict }) => [
      row.callId,
      clock.show(row.startedAt),
      row.dialled,
      words[verdict.kind],
      told(verdict.then, names),
      told(verdict.now, names),
    ]);
    const head = ['CALL', 'STARTED', 'TO', 'WOULD HAVE REACHED', 'BEFORE', 'PROPOSED'];
    const text = [
      ...(rows.length === 0 ? [] : [...table(head, rows), clock.note]),
      ...wrapped(summary(counts, changed.length), 0),
    ];
    const json = {
      since: new Date(since).toISOString(),
      plan: proposed.plan.version,
      roster: proposed.roster.version,
      ...counts,
      changed: changed.map(({ row, verdict }) => ({
        callId: row.callId,
        startedAt: new Date(row.startedAt).toISOString(),
        dialled: row.dialled,
        ...verdict,
      })),
    };
    return changed.some(({ verdict }) => verdict.kind !== 'somebody') ? no(text, json) : done(text, json);
  } finally {
    await store.close();
  }
}

const words = {
  somebodyElse: 'somebody else',
  later: 'the same, later',
  nobody: 'nobody',
  somebody: 'somebody',
} as const;

function summary({ calls, same, alike, left }: Record<'calls' | 'same' | 'alike' | 'left', number>, changed: number) {
  const parts = [
    `${same} would have gone exactly the same`,
    `${alike} by another way to the same end`,
    `${changed} otherwise`,
    ...(left === 0
      ? []
      : [`${left} cannot be told again: refused at the door, still running, or their version is gone`]),
  ];
  return `${calls} calls: ${parts.join(', ')}. A phone that was not rung then is supposed to be answered after 5 s.`;
}

function told(end: StoryEnd, names: SiteNames): string {
  const after = `after ${Math.round(end.afterMs / 1_000)} s`;
  switch (end.kind) {
    case 'human':
      return `${end.person === '' ? 'an outside number' : names.person(end.person)} ${after}`;
    case 'message':
      return `message for ${names.mailbox(end.mailbox)} ${after}`;
    default:
      return `${endCauses[end.cause].says}, ${after}`;
  }
}

function daysOf(text: string): number {
  const days = /^([0-9]{1,3})d$/.exec(text)?.[1];
  if (days === undefined || Number(days) < 1) throw new Refusal(`--since ${text}: write a number of days: 30d`, 2);
  return Number(days);
}

async function proposedDocuments(
  config: Config,
  folders: readonly string[],
  options: { readonly now: Instant; readonly window: Span },
): Promise<Documents> {
  if (folders.length > 2) throw new Refusal('--with takes two folders: the dialplans and the oncall one', 2);
  const [dialplans = config.dialplans, oncall = config.oncall] = folders;
  const loaded = await loadDocuments({ dialplans, oncall, prompts: promptIds(), ...options });
  if (loaded.kind === 'refused') throw new Refusal(loaded.problems.map(showProblem).join('\n'));
  return loaded;
}

/** Newest first. */
async function* callsSince(store: Store, since: Instant): AsyncGenerator<CallRow> {
  let before: CallRow | undefined;
  for (let seen = 0; seen < MAX_CALLS; ) {
    const page = await store.calls.list({ limit: 200, ...(before === undefined ? {} : { before }) });
    for (const row of page) {
      if (row.startedAt < since) return;
      yield row;
    }
    seen += page.length;
    before = page.at(-1);
    if (before === undefined) return;
  }
}

/** null for a call that never came to the plan, is not over, or whose documents are not kept any more. */
function replayOf(records: readonly AuditRecord[], versions: Versions, proposed: Documents): Replayed | null {
  const facts = records.map(({ at, fact }): RecordedFact => ({ at: instant(at), fact: fact as CallFact }));
  const before = versions.find(documentsOf(records));
  if (before === null || facts[0]?.fact.fact !== 'arrived' || facts.at(-1)?.fact.fact !== 'ended') return null;
  return replay(facts, before, proposed);
}

/** The documents that decided past calls, compiled once each. */
class Versions {
  readonly #store: Store;
  readonly #window: Span;
  readonly #now: Instant;
  readonly #known = new Map<string, Documents | null>();

  constructor(store: Store, window: Span, now: Instant) {
    this.#store = store;
    this.#window = window;
    this.#now = now;
  }

  find(used: { readonly plan: string; readonly roster: string } | null): Documents | null {
    if (used === null) return null;
    const name = `${used.plan} ${used.roster}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const version = this.#store.documents.find(used);
    const options = { prompts: promptIds(), now: this.#now, window: this.#window };
    const compiled = version && compileFiles(version.files, options);
    const found = compiled?.kind === 'ok' ? compiled : null;
    this.#known.set(name, found);
    return found;
  }
}
