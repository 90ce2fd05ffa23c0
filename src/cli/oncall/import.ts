import type { SystemFact } from '../../core/audit/index.ts';
import { type FeedDifference, feedConflicts, type FeedShift } from '../../core/oncall/index.ts';
import { type Instant, instant } from '../../core/time/index.ts';
import { attestOnce } from '../attest-once.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import type { FeedFinding } from '../../documents/feeds/index.ts';
import { done, no, Refusal } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { siteConfig, siteStore } from '../site.ts';
import { showTime } from '../site-time.ts';
import { whoTypes } from '../who-types.ts';
import { keepFeed, keptOf } from './keep-feed.ts';

interface ImportOptions extends CommonOptions {
  readonly feed?: string;
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly anyway?: boolean;
}

const MAX_SHOWN = 20;

/** `wardline oncall import`: takes what other systems publish, when it can be believed. */
export function importCommand(oncall: Group, answer: Commands['answer']): void {
  oncall('import')
    .description('take the feeds that oncall/ declares; what cannot be believed changes nothing, exit code 1')
    .option('--feed <name>', 'only this one')
    .option('--file <path>', 'read this file in place of the source of the feed')
    .option('--dry-run', 'only say what would change')
    .option('--anyway', 'take it although it has shrunk or is old')
    .action(
      answer(async (options: ImportOptions) => {
        const config = siteConfig(options);
        const now = instant(Date.now());
        const { roster, files } = await siteDocuments(config, now);
        const { declaredFeeds, lookAtFeed } = await import('../../documents/feeds/index.ts');
        const all = declaredFeeds(files, roster.zone);
        const feeds = all.filter(({ id }) => options.feed === undefined || id === options.feed);
        if (feeds.length === 0) {
          const known = all.length === 0 ? 'oncall/ declares none' : `there are ${all.map(({ id }) => id).join(', ')}`;
          throw new Refusal(
            options.feed === undefined ? `no feeds: ${known}` : `there is no feed ${options.feed}: ${known}`,
          );
        }
        if (options.file !== undefined && feeds.length > 1)
          throw new Refusal('--file: say which feed it is, with --feed', 2);
        const isDryRun = options.dryRun === true;
        const { store, secrets } = await siteStore(config, 'guest');
        try {
          const outcomes: FeedOutcome[] = [];
          for (const feed of feeds) {
            const looked = await lookAtFeed(feed, {
              now,
              folder: config.oncall,
              before: keptOf(store, feed.id),
              isMeant: options.anyway === true,
              ...(options.file === undefined ? {} : { file: options.file }),
            });
            outcomes.push({ feed: feed.id, isDryRun, ...looked });
            if (isDryRun) continue;
            const attest = (fact: SystemFact) => attestOnce(config, store, secrets, fact);
            await keepFeed(feed.id, looked.finding, { store, now, attest, by: whoTypes() });
          }
          const after = await siteDocuments(config, now);
          const conflicts = feedConflicts(after.roster, now);
          const text = [
            ...outcomes.flatMap((outcome) => told(outcome, roster.zone)),
            ...conflicts.map(({ override, feed }) => {
              return `Override ${override.id} of ${override.author} counts, but feed ${feed} says something else: change it there too, or undo the override.`;
            }),
          ];
          const json = {
            feeds: outcomes.map(asJson),
            conflicts: conflicts.map(({ override, feed }) => ({ override: override.id, feed })),
          };
          return outcomes.some(({ finding }) => finding.kind === 'refused') ? no(text, json) : done(text, json);
        } finally {
          await store.close();
        }
      }),
    );
}

interface FeedOutcome {
  readonly feed: string;
  readonly finding: FeedFinding;
  readonly difference: FeedDifference;
  readonly isDryRun: boolean;
}

function told({ feed, finding, difference, isDryRun }: FeedOutcome, zoneName: string): readonly string[] {
  if (finding.kind === 'refused') {
    return [`${feed}: REFUSED, the last good roster stays: ${finding.because} (${finding.remedy})`];
  }
  const { shifts, isSame } = finding;
  if (isSame) return [`${feed}: as before, ${shifts} shifts.`];
  const words = isDryRun ? 'would be taken (nothing was changed)' : 'taken';
  const line = (sign: string) => (shift: FeedShift) =>
    `  ${sign} ${shift.person}${shift.as === '' ? '' : ` as ${shift.as}`}, ${showTime(shift.from, zoneName)} to ${showTime(shift.to, zoneName)}`;
  const changes = [...difference.removed.map(line('-')), ...difference.added.map(line('+'))];
  const rest = changes.length > MAX_SHOWN ? [`  … and ${changes.length - MAX_SHOWN} more (--json has all)`] : [];
  return [`${feed}: ${words}, ${shifts} shifts:`, ...changes.slice(0, MAX_SHOWN), ...rest];
}

function asJson({ feed, finding, difference, isDryRun }: FeedOutcome) {
  if (finding.kind === 'refused') {
    const { because, remedy } = finding;
    return { feed, outcome: finding.kind, shifts: 0, because, remedy, added: [], removed: [] };
  }
  const iso = (at: Instant) => new Date(at).toISOString();
  const plain = (shift: FeedShift) => ({
    person: shift.person,
    as: shift.as,
    from: iso(shift.from),
    until: iso(shift.to),
  });
  return {
    feed,
    outcome: finding.isSame ? 'unchanged' : isDryRun ? 'wouldBeTaken' : 'taken',
    shifts: finding.shifts,
    because: null,
    remedy: null,
    added: difference.added.map(plain),
    removed: difference.removed.map(plain),
  };
}
