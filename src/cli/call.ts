import type { CallRow } from '../storage/index.ts';
import { endCauses, type EndCause } from '../core/call/index.ts';
import { ladder, type Revealed, type Rung } from '../core/audit/index.ts';
import { instant } from '../core/time/index.ts';
import type { AuditRecord } from '../audit-log/index.ts';
import { auditReader } from './audit.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { type SiteNames, namesThen, namesToday } from './names.ts';
import { done, Refusal, table, wrapped } from './report.ts';
import { siteClock } from './site-documents.ts';
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
          const names = await namesToday(config);
          const from = (row: CallRow) => (options.reveal === true ? row.from.reveal() : masked(row.from.reveal()));
          const rows = calls.map((row) => [
            row.callId,
            clock.show(row.startedAt),
            place(from(row), names),
            place(row.dialled, names),
            row.service === null ? '' : names.service(row.service),
            row.acceptedBy === null ? '' : names.person(row.acceptedBy),
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
          const spoken = await namesThen(config, store, documentsOf(records));
          const rungs = ladder(entries, spoken, options.reveal === true ? revealed(records) : {});
          const lines = rungs.flatMap((rung, i) => tell(rung, entries[i]?.isLate === true));
          const startedAt = entries[0]?.at ?? instant(0);
          return done([`Call ${callId}, ${clock.show(startedAt)}`, ...lines, '', clock.note], {
            callId,
            startedAt: new Date(startedAt).toISOString(),
            entries: entries.map(({ at, seq, fact, isLate }, i) => ({
              seq,
              at: new Date(at).toISOString(),
              afterMs: rungs[i]?.afterMs,
              isLate,
              says: rungs[i]?.says,
              fact,
            })),
          });
        } finally {
          await store.close();
        }
      }),
    );
}

/** One rung as lines on a screen. */
function tell({ afterMs, says, stands }: Rung, isLate: boolean): readonly string[] {
  if (stands === 'aside') return [];
  const time = `+${(afterMs / 1000).toFixed(1)} s`.padStart(9);
  const margin = `${time}  ${stands === 'inStep' ? '  ' : ''}`;
  const line = wrapped(`${margin}${says}${isLate ? ' (written late)' : ''}`, margin.length + 2);
  return stands === 'heading' || stands === 'ending' ? ['', ...line] : line;
}

function documentsOf(records: readonly AuditRecord[]): { readonly plan: string; readonly roster: string } | null {
  const used = records.map(({ fact }) => fact).find((fact) => fact.fact === 'documentsUsed');
  return used?.fact === 'documentsUsed' ? used : null;
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

function place(number: string, names: SiteNames): string {
  const name = names.extension(number);
  return name === null ? number : `${name} (${number})`;
}

function saysOf(cause: string): string {
  return Object.hasOwn(endCauses, cause) ? endCauses[cause as EndCause].says : cause;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
