import { finished } from 'node:stream/promises';
import { Argument, Option } from 'commander';
import { htmlOf, type ReportKind, reportKinds, reports } from '../../core/audit/report/index.ts';
import { instant } from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { namesIn } from '../names.ts';
import { writeNew } from '../new-file.ts';
import { done } from '../report.ts';
import { knownDocuments, siteClock } from '../site-documents.ts';
import { unitOf } from '../unit-of.ts';
import { type Period, period, withPeriod } from './period.ts';
import { looking, type RevealOptions, withReveal } from './reveal.ts';
import { shownAs } from './shown.ts';
import { type SiteAudit, withAudit } from './site-audit.ts';

interface ReportOptions extends CommonOptions, Period, RevealOptions {
  readonly out: string;
  readonly format: 'html' | 'pdf';
}

/** `wardline audit report`: what a privacy officer, a quality manager or a surveyor asks for, over a period. */
export function reportCommand(audit: Group, answer: Commands['answer']): void {
  withReveal(withPeriod(audit('report').addArgument(new Argument('<report>', 'which one').choices([...reportKinds]))))
    .description('write a report over a period as HTML or PDF; the audit notes who did it')
    .addOption(new Option('--format <format>', 'html or pdf').choices(['html', 'pdf']).default('html'))
    .requiredOption('--out <file>', 'where to')
    .action(
      answer((kind: ReportKind, options: ReportOptions) =>
        withAudit(options, 'guest', (site) => write(site, kind, options)),
      ),
    );
}

async function write(site: SiteAudit, kind: ReportKind, options: ReportOptions) {
  const { config, store, reader, record } = site;
  const { from, to, says } = await period(site, options);
  const who = looking(config, options);
  const { numbers, by } = who;
  await record({ fact: 'auditRead', how: 'report', what: kind, ...says, ...who });

  const documents = await knownDocuments(config, store);
  const clock = await siteClock(config, store);
  const builder = reports[kind]({
    names: documents === null ? nobodyKnown : namesIn(documents.plan, documents.roster),
    unitOf: (from) => (documents === null ? null : unitOf(documents, from)),
    time: (at) => clock.show(at),
  });
  const range = await reader.between(from, to);
  let entries = 0;
  for await (const sealed of reader.records(range)) {
    // An entry that was late stands where it was written; the period is about when it happened.
    if (sealed.at < from || sealed.at >= to) continue;
    const { seq, at, callId, fact } = shownAs(numbers, sealed);
    builder.take({ seq, at: instant(at), callId, fact });
    entries += 1;
  }
  const page = builder.page();
  const facts = [
    ['Site', site.site],
    ['Period', `${clock.show(from)} to ${clock.show(to)} (${site.zone})`],
    ['Made', `${clock.show(instant(Date.now()))} by ${by}`],
    ['From', `${entries} entries of the audit, ${range.first} to ${range.last}`],
  ] as const;
  await writeNew(options.out, async (file) => {
    file.end(
      options.format === 'pdf' ? await (await import('./report-pdf.ts')).pdfOf(page, facts) : htmlOf(page, facts),
    );
    await finished(file);
  });
  return done([`${options.out}: ${page.title}, ${entries} entries.`], { out: options.out, entries, ...page });
}

const same = (id: string) => id;
const nobodyKnown = { person: same, service: same, mailbox: same, extension: () => null };
