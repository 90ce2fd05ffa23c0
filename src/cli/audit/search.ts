import type { AuditRecord } from '../../audit-log/index.ts';
import { ANY_CALL, numberTerm, sentence, termsOf } from '../../core/audit/index.ts';
import { type EndCause, endCauses } from '../../core/call/index.ts';
import { instant } from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { namesToday, type SiteNames } from '../names.ts';
import { done, Refusal, table } from '../report.ts';
import { siteClock } from '../site-documents.ts';
import { type Period, period, withPeriod } from './period.ts';
import { looking, type RevealOptions, withReveal } from './reveal.ts';
import { type Numbers, shownAs } from './shown.ts';
import { type SiteAudit, withAudit } from './site-audit.ts';

interface SearchOptions extends CommonOptions, Period, RevealOptions {
  readonly person?: string;
  readonly number?: string;
  readonly mailbox?: string;
  readonly service?: string;
  readonly ending?: string;
  readonly limit: string;
  readonly after?: string;
}

/** Calls come first: the store is never held for longer than these take. */
const ENTRIES_AT_ONCE = 500;

/** `wardline audit search`: calls and changes by person, number, mailbox, service, time and ending. */
export function searchCommand(audit: Group, answer: Commands['answer']): void {
  withReveal(withPeriod(audit('search')))
    .description('find calls and changes; the audit notes who looked')
    .option('--person <id>', 'thought of, rung, or took it; or whose duty was changed')
    .option('--number <number>', 'called, was dialled or was rung')
    .option('--mailbox <id>', 'a message was left there')
    .option('--service <id>', 'asked for')
    .option('--ending <cause>', 'how it ended, callerHungUp for one')
    .option('--limit <count>', 'how many, 1 to 500', '50')
    .option('--after <place>', 'go on where the last page ended')
    .action(answer((options: SearchOptions) => withAudit(options, 'guest', (site) => search(site, options))));
}

async function search(site: SiteAudit, options: SearchOptions) {
  const { config, store, reader, record, blind } = site;
  const limit = /^\d{1,3}$/.test(options.limit) ? Number(options.limit) : 0;
  if (limit < 1 || limit > 500) throw new Refusal(`--limit ${options.limit}: use 1 to 500`, 2);
  const { from, to, says } = await period(site, options);
  const { terms, what } = wanted(options, blind);
  const before = options.after === undefined ? null : placeIn(options.after);
  const who = looking(config, options);
  const { numbers } = who;
  await record({ fact: 'auditRead', how: 'search', what, ...says, ...who });
  await catchUp(site);

  const rows = store.auditTerms.find(terms, { from, to, before, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const next = rows.length > limit && last !== undefined ? `${last.at}.${last.seq}` : null;
  const names = await namesToday(config, store);
  const clock = await siteClock(config, store);
  const found: { at: string; callId: string | null; entry: number; says: string; ending: string | null }[] = [];
  for (const { at, seq, callId } of page) {
    const records = callId === null ? await reader.list({ afterSeq: seq - 1, limit: 1 }) : await reader.ofCall(callId);
    found.push({ at: new Date(at).toISOString(), callId, entry: seq, ...told(records, names, numbers) });
  }
  const lines = page.map(({ at, seq, callId }, i) => [
    clock.show(instant(at)),
    callId ?? `entry ${seq}`,
    `${found[i]?.says ?? ''}${found[i]?.ending === null ? '' : `: ${found[i]?.ending}`}`,
  ]);
  return done(
    [
      ...(lines.length === 0 ? ['Nothing was found.'] : table(['WHEN', 'CALL', 'WHAT'], lines)),
      ...(next === null ? [] : [`There is more: --after ${next}`]),
      clock.note,
    ],
    { found, next },
  );
}

function wanted(options: SearchOptions, blind: (number: string) => string) {
  const { person, number, mailbox, service, ending } = options;
  if (ending !== undefined && !Object.hasOwn(endCauses, ending)) {
    throw new Refusal(`--ending ${ending}: there are ${Object.keys(endCauses).join(', ')}`, 2);
  }
  if (number !== undefined && !/\d{2}/.test(number)) throw new Refusal(`--number ${number}: is no number`, 2);
  const given = { person, mailbox, service, ending };
  const terms = Object.entries(given).flatMap(([kind, value]) => (value === undefined ? [] : [`${kind}:${value}`]));
  const words = [...terms, ...(number === undefined ? [] : ['a number'])];
  if (number !== undefined) terms.push(numberTerm(number, blind));
  return { terms: terms.length === 0 ? [ANY_CALL] : terms, what: words.length === 0 ? 'all calls' : words.join(', ') };
}

function placeIn(text: string): { readonly at: number; readonly seq: number } {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  if (match === null) throw new Refusal(`--after ${text}: give the place that the last page ended with`, 2);
  return { at: Number(match[1]), seq: Number(match[2]) };
}

/** Brings the index up to the end of the chain, a little at a time. */
async function catchUp({ store, reader, blind }: SiteAudit): Promise<void> {
  for (let upTo = store.auditTerms.indexedUpTo(); ; ) {
    const records = await reader.list({ afterSeq: upTo, limit: ENTRIES_AT_ONCE });
    const last = records.at(-1);
    if (last === undefined) return;
    upTo = last.seq;
    const rows = records.flatMap(({ at, seq, callId, fact }) =>
      termsOf(fact, blind).map((term) => ({ term, at, seq, callId })),
    );
    store.auditTerms.add(rows, upTo);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function told(records: readonly AuditRecord[], names: SiteNames, numbers: Numbers) {
  const spoken = { ...names, leg: (leg: string) => `leg ${leg}`, wasPickedUp: () => false };
  const [first] = records;
  const ended = records.map(({ fact }) => fact).find((fact) => fact.fact === 'ended');
  return {
    says: first === undefined ? '' : sentence(shownAs(numbers, first).fact, spoken),
    ending: ended?.fact === 'ended' ? endCauses[ended.cause satisfies EndCause].says : null,
  };
}
