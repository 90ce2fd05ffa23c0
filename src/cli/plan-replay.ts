import type { AuditRecord } from '../audit-log/index.ts';
import type { CallFact } from '../core/audit/index.ts';
import { endCauses } from '../core/call/index.ts';
import { type RecordedFact, replay, type Replayed, type StoryEnd } from '../core/simulate/index.ts';
import { type Instant, instant, plusMs } from '../core/time/index.ts';
import type { CallRow, Store } from '../storage/index.ts';
import { auditReader } from './audit-reader.ts';
import { documentsOf } from './call.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { namesIn, type SiteNames } from './names.ts';
import { ReplayDocuments } from './replay-documents.ts';
import { done, no, Refusal, type Report, table, wrapped } from './report.ts';
import { siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';

interface ReplayOptions extends CommonOptions {
  readonly since: string;
  readonly with?: readonly string[];
}

const SUPPOSED =
  'A phone that was not rung then is supposed to be answered after 5 s, and a caller who hung up to have waited.';

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
  const { store, secrets } = await siteStore(config, 'reader');
  try {
    const reader = auditReader(config, store, secrets);
    const documents = await ReplayDocuments.open(store, config, options.with ?? [], { now, since });
    const clock = await siteClock(config, store);
    const names = namesIn(documents.plan, documents.roster);
    const changed: { row: CallRow; verdict: Otherwise }[] = [];
    const counts = { calls: 0, same: 0, alike: 0, left: 0 };
    for await (const row of callsSince(store, since)) {
      counts.calls += 1;
      const verdict = replayOf(await reader.ofCall(row.callId), documents);
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
      plan: documents.plan.version,
      roster: documents.roster.version,
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
  return `${calls} ${calls === 1 ? 'call' : 'calls'}: ${parts.join(', ')}. ${SUPPOSED}`;
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

/** What was heard decides nothing. */
const heardOnly: ReadonlySet<string> = new Set(['soundMeasured', 'answerHinted']);

/** null for a call that never came to the plan, is not over, or whose documents are not kept any more. */
function replayOf(records: readonly AuditRecord[], documents: ReplayDocuments): Replayed | null {
  const told = records.map(({ at, fact }): RecordedFact => ({ at: instant(at), fact: fact as CallFact }));
  // What stands behind the end, as how it sounded, has nothing to do with what was decided.
  const end = told.findLastIndex(({ fact }) => fact.fact === 'ended');
  const facts = told.slice(0, end + 1).filter(({ fact }) => !heardOnly.has(fact.fact));
  const pair = documents.find(documentsOf(records));
  if (pair === null || facts[0]?.fact.fact !== 'arrived') return null;
  return replay(facts, pair.before, pair.proposed);
}
