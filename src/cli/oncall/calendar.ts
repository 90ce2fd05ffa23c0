import { join } from 'node:path';
import type { Config } from '../../config/index.ts';
import type { PersonId, ServiceId } from '../../core/oncall/index.ts';
import { instant } from '../../core/time/index.ts';
import type { CalendarRow, Store } from '../../storage/index.ts';
import { attestOnce } from '../attest-once.ts';
import { newToken, tokenHash } from '../calendar-token.ts';
import { dataFolders } from '../folders.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, Refusal, type Report, table } from '../report.ts';
import { remembered } from '../remembered.ts';
import { siteDocuments } from '../site-documents.ts';
import { siteConfig, siteStore } from '../site.ts';
import { showTime } from '../site-time.ts';
import { readJson } from '../supervise/run-files.ts';
import { whoTypes } from '../who-types.ts';

interface AddOptions extends CommonOptions {
  readonly person?: string;
  readonly service?: string;
}

const MAX_CALENDARS = 20_000;

/** `wardline oncall calendar …`: duties for programs that subscribe to calendars, each at an address of its own. */
export function calendarCommands(oncall: Group, answer: Commands['answer']): void {
  const calendar = oncall.group('calendar', 'duties for programs that subscribe to calendars');
  calendar('add')
    .description('make the address of a calendar; it is shown once, and whoever has it may read the calendar')
    .option('--person <person>', 'whose duties')
    .option('--service <service>', 'the duties of a service')
    .action(answer(added));
  calendar('list').description('calendars that can be read, and who made them').action(answer(listed));
  calendar('remove <number>')
    .description('from now on nobody can read this calendar any more')
    .action(answer((number: string, options: CommonOptions) => removed(number, options)));
}

async function added({ person, service, ...options }: AddOptions): Promise<Report> {
  const config = siteConfig(options);
  const now = instant(Date.now());
  const { roster } = await siteDocuments(config, now);
  if ((person === undefined) === (service === undefined)) throw new Refusal('say either --person or --service', 2);
  const name =
    person === undefined ? roster.service(service as ServiceId)?.name : roster.person(person as PersonId)?.name;
  if (name === undefined)
    throw new Refusal(`there is no ${person === undefined ? `service ${service}` : `person ${person}`}`);
  const { store, secrets } = await siteStore(config, 'guest');
  try {
    if (store.calendars.list().filter(isOpen).length >= MAX_CALENDARS) {
      throw new Refusal(`there are ${MAX_CALENDARS} calendars: remove some that nobody reads`);
    }
    const token = newToken();
    const of = { person: person ?? null, service: service ?? null };
    const by = whoTypes();
    const id = store.calendars.add(of, tokenHash(token), now, by);
    const fact = { fact: 'calendarMade', calendar: id, person: person ?? '', service: service ?? '', by } as const;
    // What is not on record is not readable: nobody has seen the address yet.
    await attestOnce(config, store, secrets, fact).catch((error: unknown) => {
      store.calendars.end(id, now, by);
      throw error;
    });
    const base = baseOf(config);
    const url = `${base}/calendars/${token}.ics`;
    const proxy = base.startsWith('https:')
      ? []
      : [
          'Only this machine can read it there: for others let a proxy with TLS pass /calendars/ on, and set admin.publicUrl.',
        ];
    const text = [`${id}: the duties of ${name}, for whoever has this address; it is not shown again:`, url, ...proxy];
    return done([...text, `To end it: wardline oncall calendar remove ${id}`], { calendar: id, ...of, url });
  } finally {
    await store.close();
  }
}

/** Where calendars are served: as the house was started, unless it is said here. */
function baseOf({ admin, data }: Config): string {
  const own = remembered(data)?.config.admin ?? admin;
  // What a Wardline of before this command remembered has no such key.
  const publicUrl = [admin.publicUrl, own.publicUrl].find(Boolean);
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '');
  const ready = readJson(join(dataFolders(data).run, 'ready.json')) as { readonly admin?: string } | null;
  return `http://${ready?.admin ?? own.listen}`;
}

async function listed(options: CommonOptions): Promise<Report> {
  const config = siteConfig(options);
  const { roster } = await siteDocuments(config, instant(Date.now()));
  return withStore(options, 'reader', async ({ store }) => {
    const open = store.calendars.list().filter(isOpen);
    const rows = open.map(({ id, person, service, madeAt, madeBy }) => [
      String(id),
      person === null
        ? (roster.service(service as ServiceId)?.name ?? service!)
        : (roster.person(person as PersonId)?.name ?? person),
      showTime(madeAt, roster.zone),
      madeBy,
    ]);
    const text = rows.length === 0 ? ['No calendars.'] : table(['NUMBER', 'DUTIES OF', 'MADE', 'BY'], rows);
    const calendars = open.map(({ id, person, service, madeAt, madeBy }) => {
      return { calendar: id, person, service, madeAt: new Date(madeAt).toISOString(), madeBy };
    });
    return done(text, { calendars });
  });
}

async function removed(written: string, options: CommonOptions): Promise<Report> {
  if (!/^[0-9]{1,9}$/.test(written))
    throw new Refusal(`${written} is no number of a calendar: calendar list shows them`, 2);
  return withStore(options, 'guest', async ({ config, store, secrets }) => {
    const row = store.calendars.list().find(({ id }) => id === Number(written));
    if (row === undefined || !isOpen(row))
      throw new Refusal(`there is no calendar ${written}: calendar list shows them`);
    const { id, person, service } = row;
    const by = whoTypes();
    // First of all nobody reads it any more.
    store.calendars.end(id, instant(Date.now()), by);
    await attestOnce(config, store, secrets, {
      fact: 'calendarEnded',
      calendar: id,
      person: person ?? '',
      service: service ?? '',
      by,
    });
    return done([`Calendar ${id} can be read by nobody any more.`], { calendar: id });
  });
}

function isOpen({ endedAt }: CalendarRow): boolean {
  return endedAt === null;
}

interface Opened {
  readonly config: Config;
  readonly store: Store;
  readonly secrets: Awaited<ReturnType<typeof siteStore>>['secrets'];
}

async function withStore(
  options: CommonOptions,
  as: 'reader' | 'guest',
  work: (opened: Opened) => Promise<Report>,
): Promise<Report> {
  const config = siteConfig(options);
  const opened = await siteStore(config, as);
  try {
    return await work({ config, ...opened });
  } finally {
    await opened.store.close();
  }
}
