import { instant, plusMs } from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, no, Refusal } from '../report.ts';
import { instantFrom, note } from '../site-time.ts';
import { whoTypes } from '../who-types.ts';
import { type SiteAudit, withAudit } from './site-audit.ts';

interface PruneOptions extends CommonOptions {
  readonly before?: string;
  readonly dryRun?: boolean;
}

const DAY_MS = 86_400_000;
/** Calls come first: the store is never held for longer than these take. */
const ROWS_AT_ONCE = 500;

/** `wardline audit prune`: cuts off what is older than it has to be kept, with a receipt that keeps the rest provable. */
export function pruneCommand(audit: Group, answer: Commands['answer']): void {
  audit('prune')
    .description('cut off entries that are older than they have to be kept; a signed receipt takes their place')
    .option('--before <time>', 'older than this (default: audit.retentionDays ago)')
    .option('--dry-run', 'say what would be cut off, and leave it')
    .action(answer((options: PruneOptions) => withAudit(options, 'guest', (site) => prune(site, options))));
}

async function prune(site: SiteAudit, options: PruneOptions) {
  const { config, store, reader, record } = site;
  const now = instant(Date.now());
  const kept = plusMs(now, -config.audit.retentionDays * DAY_MS);
  const before = options.before === undefined ? kept : instantFrom(options.before, site.zone, note, '--before');
  if (before > kept) {
    const days = config.audit.retentionDays;
    throw new Refusal(`--before ${options.before ?? ''}: entries are kept for ${days} days (audit.retentionDays)`, 2);
  }
  const range = await reader.between(0, before);
  const entries = range.last - range.first + 1;
  const json = { entries, first: range.first, last: range.last, before: new Date(before).toISOString() };
  if (entries <= 0) return done(['Nothing is that old.'], { ...json, entries: 0, first: null, last: null });
  if (options.dryRun === true) return done([`${entries} entries would be cut off, up to entry ${range.last}.`], json);

  const verdict = await reader.verify();
  if (verdict.kind === 'broken') {
    return no(['Nothing is cut off: the audit is not intact, and "wardline audit verify" says where.'], verdict);
  }
  if (verdict.signedUpTo < range.last) {
    throw new Refusal(`entry ${range.last} is under no signature yet: try again once the house has run for a while`);
  }
  const by = whoTypes();
  const hash = await reader.receipt(range, { at: now, before, by });
  await record({ fact: 'auditPruned', from: range.first, to: range.last, hash, before: json.before, by });
  for (let cut = 1; cut > 0; ) {
    cut = await store.chain.cutOff(range.last, ROWS_AT_ONCE);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await store.calls.forget(before);
  store.auditTerms.cutOff(range.last);
  return done([`${entries} entries were cut off. The audit begins with entry ${range.last + 1}.`], json);
}
