import type { Config } from '../config/index.ts';
import type { CallRow, Store } from '../storage/index.ts';
import type { Secrets } from '../vault/index.ts';
import { endCauses, type EndCause } from '../core/call/index.ts';
import { HOUSE } from '../engine/index.ts';
import { ladder, type Revealed } from '../core/audit/index.ts';
import { type Instant, instant } from '../core/time/index.ts';
import type { AuditRecord } from '../audit-log/index.ts';
import { attestOnce } from './attest-once.ts';
import { auditReader } from './audit-reader.ts';
import { looking, type RevealOptions, withReveal } from './audit/reveal.ts';
import { asWritten } from './call-id.ts';
import { callLadder } from './call-ladder-command.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { type SiteNames, namesThen, namesToday } from './names.ts';
import { done, Refusal, table } from './report.ts';
import { type SiteClock, siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { tellRung } from './tell-rung.ts';

export function callCommands({ group, answer }: Commands): void {
  const call = group('call', 'calls that were made');
  withReveal(call('list').description('the newest first').option('--limit <count>', 'how many', '20')).action(
    answer(async (options: CommonOptions & RevealOptions & { limit: string }) => {
      const limit = Number(options.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
        throw new Refusal(`--limit ${options.limit}: must be a number from 1 to 1000`, 2);
      }
      const config = siteConfig(options);
      const { store, secrets } = await siteStore(config, options.reveal === true ? 'guest' : 'reader');
      try {
        await recordReveal({ config, store, secrets }, options, `the newest ${limit} calls`);
        const clock = await siteClock(config, store);
        const calls = await store.calls.list({ limit });
        const names = await namesToday(config, store);
        const from = (row: CallRow) => (options.reveal === true ? row.from.reveal() : masked(row.from.reveal(), names));
        const rows = calls.map((row) => [
          row.callId,
          clock.show(row.startedAt),
          place(from(row), names),
          place(row.dialled, names),
          story(row, names),
        ]);
        const head = ['CALL', 'STARTED', 'FROM', 'TO', 'WHAT CAME OF IT'];
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

  withReveal(call('show <call>'))
    .description('everything that happened to a call, from the first ring to the ending')
    .action(
      answer(async (given: string, options: CommonOptions & RevealOptions) => {
        const callId = asWritten(given);
        const config = siteConfig(options);
        const { store, secrets } = await siteStore(config, options.reveal === true ? 'guest' : 'reader');
        try {
          await recordReveal({ config, store, secrets }, options, `call ${callId}`);
          const records = await auditReader(config, store, secrets).ofCall(callId);
          const entries = records.map((record) => ({ ...record, at: instant(record.at) }));
          if (entries.length === 0) {
            throw new Refusal(`the audit knows no call ${callId}: "wardline call list" shows those that it knows`);
          }
          const clock = await siteClock(config, store);
          const spoken = await namesThen(config, store, documentsOf(records));
          const rungs = ladder(entries, spoken, options.reveal === true ? revealed(records) : {});
          const lines = rungs.flatMap((rung, i) => tellRung(rung, entries[i]?.isLate === true));
          const startedAt = entries[0]?.at ?? instant(0);
          const isRunning = rungs.every(({ stands }) => stands !== 'ending');
          if (isRunning) lines.push('', '           The call is still running.');
          return done([`Call ${callId}, ${exact(startedAt, clock)}`, ...lines, '', clock.note], {
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

  call('ladder <call>')
    .description('the SIP of a recent call, message by message, without names, numbers and passwords')
    .option('--messages', 'the whole messages too')
    .action(answer(callLadder));
}

/** Who saw numbers in clear is on record before they are shown. Rejects with Refusal when they may not. */
export async function recordReveal(
  { config, store, secrets }: { readonly config: Config; readonly store: Store; readonly secrets: Secrets },
  options: RevealOptions,
  what: string,
): Promise<void> {
  const who = looking(config, options);
  if (who.numbers === 'masked') return;
  const at = new Date().toISOString();
  await attestOnce(config, store, secrets, { fact: 'auditRead', how: 'show', what, from: at, to: at, ...who });
}

export function documentsOf(
  records: readonly AuditRecord[],
): { readonly plan: string; readonly roster: string } | null {
  const used = records.map(({ fact }) => fact).find((fact) => fact.fact === 'documentsUsed');
  return used?.fact === 'documentsUsed' ? used : null;
}

export function revealed(entries: readonly AuditRecord[]): Revealed {
  const arrived = entries.map(({ fact }) => fact).find((fact) => fact.fact === 'arrived');
  if (arrived?.fact !== 'arrived') return {};
  const { number, dialled } = arrived;
  return {
    ...(number === null ? {} : { number: number.reveal() }),
    ...(typeof dialled === 'string' ? {} : { dialled: dialled.reveal() }),
  };
}

/** An outside number shows its last two digits, and a name nothing; an extension of the house is nobody's secret. */
export function masked(from: string, { extension }: Pick<SiteNames, 'extension'>): string {
  if (from === HOUSE || /^trunk |^[\d*#]{1,5}$/.test(from) || extension(from) !== null) return from;
  return /^\+?\d{6,}$/.test(from) ? `…${from.slice(-2)}` : '[phi]';
}

function place(number: string, names: SiteNames): string {
  const name = names.extension(number);
  return name === null ? number : `${name} (${number})`;
}

/** "Cardiology, taken by Dr Bell: the caller hung up (32 s)" */
function story(row: CallRow, names: SiteNames): string {
  const service = row.service === null ? [] : [names.service(row.service)];
  const taken = row.acceptedBy === null ? [] : [`taken by ${names.person(row.acceptedBy)}`];
  const ending = row.cause === null ? 'still running' : saysOf(row.cause);
  const lasted = row.endedAt === null ? '' : ` (${duration(row.endedAt - row.startedAt)})`;
  const about = [...service, ...taken].join(', ');
  return `${about === '' ? '' : `${about}: `}${ending}${lasted}`;
}

/** Whole minutes are enough in a list; here seconds tell calls apart. */
function exact(at: Instant, clock: SiteClock): string {
  return `${clock.show(at)}:${String(Math.floor(at / 1000) % 60).padStart(2, '0')}`;
}

function saysOf(cause: string): string {
  return Object.hasOwn(endCauses, cause) ? endCauses[cause as EndCause].says : cause;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
