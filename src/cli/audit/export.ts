import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Option } from 'commander';
import type { AuditReader, EntryRange } from '../../audit-log/index.ts';
import { sentence } from '../../core/audit/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { namesToday, type SiteNames } from '../names.ts';
import { writeNew } from '../new-file.ts';
import { done, no, Refusal } from '../report.ts';
import { csvLine } from './csv.ts';
import { type Period, period, withPeriod } from './period.ts';
import { looking, type RevealOptions, withReveal } from './reveal.ts';
import { type Numbers, shownAs } from './shown.ts';
import { type SiteAudit, withAudit } from './site-audit.ts';

interface ExportOptions extends CommonOptions, Period, RevealOptions {
  readonly format: 'jsonl' | 'csv';
  readonly out: string;
}

/** `wardline audit export`: JSON lines as evidence, with everything sealed that is sealed; CSV for people. */
export function exportCommand(audit: Group, answer: Commands['answer']): void {
  withReveal(withPeriod(audit('export')))
    .description('write entries as JSON lines that can be checked elsewhere, or as CSV; the audit notes who did it')
    .addOption(new Option('--format <format>', 'jsonl or csv').choices(['jsonl', 'csv']).default('jsonl'))
    .requiredOption('--out <file>', 'where to')
    .action(answer((options: ExportOptions) => withAudit(options, 'guest', (site) => write(site, options))));
}

async function write(site: SiteAudit, options: ExportOptions) {
  const { format, out } = options;
  const { reader, record } = site;
  const { from, to, says } = await period(site, options);
  const who = looking(site.config, options);
  if (format === 'jsonl' && who.numbers === 'shown') {
    throw new Refusal('--reveal: JSON lines are evidence and stay sealed; use --format csv', 2);
  }
  const numbers = format === 'jsonl' ? 'sealed' : who.numbers;
  // Who takes records away is on record first.
  await record({ fact: 'auditRead', how: 'export', what: format, ...says, ...who, numbers });
  const range = await reader.between(from, to);
  const names = await namesToday(site.config, site.store);
  let entries = 0;
  let isSigned = true;
  await writeNew(out, async (file) => {
    if (format === 'csv') entries = await writeCsv(file, reader, range, names, who.numbers);
    else ({ entries, isSigned } = await writeLines(file, reader, range, site.site));
    file.end();
    await finished(file);
  });
  const json = {
    out,
    format,
    entries,
    first: range.first,
    last: range.last,
    numbers,
    isSigned: format === 'jsonl' && isSigned,
  };
  if (isSigned) return done([`${out}: ${entries} entries.`], json);
  const broken = 'NOT SIGNED: the entries do not all follow from one another; "wardline audit verify" says where.';
  return no([`${out}: ${entries} entries. ${broken}`], json);
}

async function writeLines(file: Writable, reader: AuditReader, range: EntryRange, site: string) {
  const lines = reader.exportLines(range, { site, at: Date.now() });
  for (;;) {
    const line = await lines.next();
    if (line.done === true) return line.value;
    await put(file, `${line.value}\n`);
  }
}

async function writeCsv(
  file: Writable,
  reader: AuditReader,
  range: EntryRange,
  names: SiteNames,
  numbers: Numbers,
): Promise<number> {
  const spoken = { ...names, leg: (leg: string) => `leg ${leg}`, wasPickedUp: () => false };
  let entries = 0;
  await put(file, csvLine(['entry', 'time', 'call', 'fact', 'late', 'says', 'details']));
  for await (const sealed of reader.records(range)) {
    const { seq, at, callId, fact, isLate } = shownAs(numbers, sealed);
    const { fact: word, ...details } = fact;
    const time = new Date(at).toISOString();
    const cells = [seq, time, callId, word, isLate ? 'late' : '', sentence(fact, spoken), JSON.stringify(details)];
    await put(file, csvLine(cells));
    entries += 1;
  }
  return entries;
}

async function put(file: Writable, text: string): Promise<void> {
  if (!file.write(text)) await once(file, 'drain');
}
