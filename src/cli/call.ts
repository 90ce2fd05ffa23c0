import type { CallRow } from '../storage/index.ts';
import { endCauses, type EndCause } from '../core/call/index.ts';
import { tellCall } from '../core/audit/index.ts';
import { auditReader } from './audit.ts';
import type { CommonOptions, Commands } from './program.ts';
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
