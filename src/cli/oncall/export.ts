import { writeFileSync } from 'node:fs';
import type { PersonId, ServiceId } from '../../core/oncall/index.ts';
import { instant, plusMs } from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, Refusal } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { siteConfig } from '../site.ts';

interface ExportOptions extends CommonOptions {
  readonly person?: string;
  readonly service?: string;
  readonly days: string;
  readonly out?: string;
}

const DAY_MS = 86_400_000;

/** `wardline oncall export`: the duties of a person, or of a service, as a calendar. */
export function exportCommand(oncall: Group, answer: Commands['answer']): void {
  oncall('export')
    .description('duties as an iCalendar file, of a person or of a service')
    .option('--person <person>', 'whose duties')
    .option('--service <service>', 'the duties of a service')
    .option('--days <count>', 'how far ahead, 1 to 366', '90')
    .option('--out <file>', 'where to (default: standard output)')
    .action(
      answer(async ({ person, service, days: written, out, ...options }: ExportOptions) => {
        const days = /^[0-9]{1,3}$/.test(written) ? Number(written) : 0;
        if (days < 1 || days > 366) throw new Refusal(`--days ${written}: use 1 to 366`, 2);
        const now = instant(Date.now());
        const within = { from: now, to: plusMs(now, days * DAY_MS) };
        const { roster } = await siteDocuments(siteConfig(options), now, {
          from: plusMs(now, -7 * DAY_MS),
          to: within.to,
        });
        if ((person === undefined) === (service === undefined))
          throw new Refusal('say either --person or --service', 2);
        if (service !== undefined && roster.service(service as ServiceId) === undefined) {
          throw new Refusal(`there is no service ${service}`);
        }
        if (person !== undefined && roster.person(person as PersonId) === undefined) {
          throw new Refusal(`there is no person ${person}`);
        }
        const of = person === undefined ? { service: service as ServiceId } : { person: person as PersonId };
        const { calendarOf } = await import('../../documents/feeds/index.ts');
        const calendar = calendarOf(roster, of, within, now);
        if (out === undefined) return done(calendar.trimEnd().split('\r\n'), { calendar });
        write(out, calendar);
        return done([`Written to ${out}.`], { calendar });
      }),
    );
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refusal(`--out ${file}: cannot be written (${code}): check the folder and the disk`);
  }
}
