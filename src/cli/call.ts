import type { CallRow } from '../storage/index.ts';
import { endCauses, type EndCause } from '../core/call/index.ts';
import { ladder, type Revealed } from '../core/audit/index.ts';
import { instant } from '../core/time/index.ts';
import type { AuditRecord } from '../audit-log/index.ts';
import type { Config } from '../config/index.ts';
import type { PersonId, ServiceId } from '../core/oncall/index.ts';
import { auditReader } from './audit.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { done, Refusal, table } from './report.ts';
import { checkDocuments, siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';

export function callCommands({ group, answer }: Commands): void {
  const call = group('call', 'calls that were made');
  call('list')
    .description('the newest first')
    .option('--limit <count>', 'how many', '20')
    .option('--reveal', 'show the numbers of outside callers')
    .action(
      answer(async (options: CommonOptions & { limit: string; reveal?: boolean }) => {
        const limit = Number(options.limit);
        if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
          throw new Refusal(`--limit ${options.limit}: must be a number from 1 to 1000`, 2);
        }
        const config = siteConfig(options);
        const clock = await siteClock(config);
        const { store } = await siteStore(config, 'reader');
        try {
          const calls = await store.calls.list({ limit });
          const from = (row: CallRow) => (options.reveal === true ? row.from.reveal() : masked(row.from.reveal()));
          const rows = calls.map((row) => [
            row.callId,
            clock.show(row.startedAt),
            from(row),
            row.dialled,
            row.service ?? '',
            row.acceptedBy ?? '',
            row.endedAt === null ? '' : duration(row.endedAt - row.startedAt),
            row.cause === null ? 'running' : saysOf(row.cause),
          ]);
          const head = ['CALL', 'STARTED', 'FROM', 'DIALLED', 'SERVICE', 'TAKEN BY', 'LASTED', 'ENDED BECAUSE'];
          return done(rows.length === 0 ? ['No calls yet.'] : [...table(head, rows), clock.note], {
            calls: calls.map((row) => ({
              ...row,
              from: from(row),
              startedAt: new Date(row.startedAt).toISOString(),
              endedAt: row.endedAt === null ? null : new Date(row.endedAt).toISOString(),
            })),
          });
        } finally {
          await store.close();
        }
      }),
    );

  call('show <call>')
    .description('everything that happened to a call, from the first ring to the ending')
    .option('--reveal', 'show the numbers of outside callers')
    .action(
      answer(async (callId: string, options: CommonOptions & { reveal?: boolean }) => {
        const config = siteConfig(options);
        const { store, secrets } = await siteStore(config, 'reader');
        try {
          const records = await auditReader(config, store, secrets).ofCall(callId);
          const entries = records.map((record) => ({ ...record, at: instant(record.at) }));
          if (entries.length === 0) {
            throw new Refusal(`the audit knows no call ${callId}: "wardline call list" shows those that it knows`);
          }
          const clock = await siteClock(config);
          const rungs = ladder(entries, await names(config), options.reveal === true ? revealed(records) : {});
          const rows = rungs.map(({ afterMs, says }, i) => [
            `+${(afterMs / 1000).toFixed(1)} s`,
            says + (entries[i]?.isLate === true ? ' (written late)' : ''),
          ]);
          const [first] = rungs;
          return done(
            [`Call ${callId}, ${clock.show(first?.at ?? instant(0))}`, ...table(['', ''], rows).slice(1), clock.note],
            {
              callId,
              entries: entries.map(({ at, seq, fact, isLate }, i) => ({
                seq,
                at: new Date(at).toISOString(),
                isLate,
                says: rungs[i]?.says,
                fact,
              })),
            },
          );
        } finally {
          await store.close();
        }
      }),
    );
}

/** Names as the documents have them today; whoever has left since is told by id. */
async function names(config: Config): Promise<Parameters<typeof ladder>[1]> {
  const documents = await checkDocuments(config, instant(Date.now()));
  if (documents.kind === 'bad') return { person: same, service: same, mailbox: same };
  const { plan, roster } = documents;
  return {
    person: (id) => roster.person(id as PersonId)?.name ?? plan.extension(id)?.name ?? id,
    service: (id) => roster.service(id as ServiceId)?.name ?? id,
    mailbox: (id) => plan.mailbox(id)?.name ?? id,
  };
}

function same(id: string): string {
  return id;
}

function revealed(entries: readonly AuditRecord[]): Revealed {
  const arrived = entries.map(({ fact }) => fact).find((fact) => fact.fact === 'arrived');
  if (arrived?.fact !== 'arrived') return {};
  const { number, dialled } = arrived;
  return {
    ...(number === null ? {} : { number: number.reveal() }),
    ...(typeof dialled === 'string' ? {} : { dialled: dialled.reveal() }),
  };
}

/** An outside number shows its last two digits; an extension of the house is nobody's secret. */
function masked(from: string): string {
  return /^\+?\d{6,}$/.test(from) ? `…${from.slice(-2)}` : from;
}

function saysOf(cause: string): string {
  return Object.hasOwn(endCauses, cause) ? endCauses[cause as EndCause].says : cause;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
