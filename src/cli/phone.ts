import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/index.ts';
import { instant } from '../core/time/index.ts';
import { PhoneDirectory } from '../directory/index.ts';
import { systemClock, systemRandom } from '../engine/index.ts';
import type { Store } from '../storage/index.ts';
import type { ContactBinding } from '../telephony/index.ts';
import { attestOnce, silentLog } from './attest-once.ts';
import { forgetExample, isExample } from './example-phones.ts';
import { type SipServer, sipServer } from './app/banner.ts';
import { reachable } from './app/reachable.ts';
import { dataFolders } from './folders.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { remembered } from './remembered.ts';
import { done, Refusal, table } from './report.ts';
import { knownDocuments, siteClock, siteDocuments } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { advertisedAddress } from './supervise/daemon-options.ts';
import type { Serves } from './supervise/launch-plan.ts';
import { isAlive } from './supervise/processes.ts';
import { readJson } from './supervise/run-files.ts';
import { whoTypes } from './who-types.ts';

/** The app looks for new phones twice a second; whoever reads a password may use it at once. */
const KNOWN_WITHIN_MS = 700;

export function phoneCommands({ group, answer }: Commands): void {
  const phone = group('phone', 'phones and their passwords');
  phone('add <extension>')
    .description('give an extension a phone; its password is shown once')
    .option(
      '--password-file <file>',
      'first line: a password that is there already (at least 80 bits), "-" for standard input; one is made otherwise',
    )
    .action(
      answer((extension: string, options: CommonOptions & { passwordFile?: string }) =>
        withDirectory(options, async (directory, { by, examples, isUp, sip }) => {
          // An example phone is there to be replaced; its password was on the screen.
          if (isExample(examples, extension)) await directory.remove(extension, by);
          const result = await directory.add(extension, by, passwordIn(options.passwordFile));
          if (result.kind === 'refused') throw new Refusal(result.says);
          forgetExample(examples, extension);
          if (isUp) await sleep(KNOWN_WITHIN_MS);
          const { password } = result;
          return done(
            [
              `Phone ${extension} was added. Type into it:`,
              `  SIP server   ${sip.length > 0 ? sipServer(sip) : 'as the house says when it starts'}`,
              `  user         ${extension}`,
              `  password     ${password}`,
            ],
            { extension, password, sip },
          );
        }),
      ),
    );

  phone('list')
    .description('every phone, and where it is registered')
    .action(
      answer(async (options: CommonOptions) => {
        const config = siteConfig(options);
        const { store } = await siteStore(config, 'reader');
        try {
          const phones = await store.phones.list();
          const contacts = await registered(store);
          const documents = await knownDocuments(config, store);
          const clock = await siteClock(config, store);
          const name = (extension: string) =>
            documents ? (documents.plan.extension(extension)?.name ?? '(not in the plan)') : '';
          const rows = phones.flatMap(({ extension }) => {
            const here = contacts.filter((contact) => contact.extension === extension);
            if (here.length === 0) return [[extension, name(extension), 'not registered', '', '']];
            return here.map(({ source, expiresAt, userAgent }) => [
              extension,
              name(extension),
              `${source.protocol} ${source.ip}:${source.port}`,
              clock.show(expiresAt),
              userAgent,
            ]);
          });
          return done(
            rows.length === 0
              ? ['No phones yet: wardline phone add EXTENSION']
              : [...table(['PHONE', 'NAME', 'REGISTERED FROM', 'UNTIL', 'MODEL'], rows), clock.note],
            {
              phones: phones.map(({ extension, createdAt }) => ({
                extension,
                name: name(extension),
                addedAt: new Date(createdAt).toISOString(),
                contacts: contacts
                  .filter((contact) => contact.extension === extension)
                  .map(({ uri, source, userAgent, expiresAt }) => ({
                    uri,
                    source,
                    userAgent,
                    expiresAt: new Date(expiresAt).toISOString(),
                  })),
              })),
            },
          );
        } finally {
          await store.close();
        }
      }),
    );

  phone('remove <extension>')
    .description('take the phone of an extension away; it is no longer rung')
    .action(
      answer((extension: string, options: CommonOptions) =>
        withDirectory(options, async (directory, { by, examples, isUp }) => {
          const result = await directory.remove(extension, by);
          if (result.kind === 'refused') throw new Refusal(result.says);
          forgetExample(examples, extension);
          if (isUp) await sleep(KNOWN_WITHIN_MS);
          return done([`Phone ${extension} was removed.`], { extension });
        }),
      ),
    );
}

/** Not an argument of the command: those are seen by everybody on the machine, and kept by shells. */
function passwordIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/)[0] ?? '';
  } catch (error) {
    throw new Refusal(`--password-file ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

interface Hands {
  /** Who types this, for the audit. */
  readonly by: string;
  readonly examples: string;
  readonly isUp: boolean;
  /** What phones register with; [] while nobody can say. */
  readonly sip: readonly SipServer[];
}

async function withDirectory<T>(
  options: CommonOptions,
  work: (directory: PhoneDirectory, hands: Hands) => Promise<T>,
): Promise<T> {
  const config = siteConfig(options);
  const { plan } = await siteDocuments(config, instant(Date.now()));
  const { store, secrets } = await siteStore(config, 'guest');
  try {
    const directory = await PhoneDirectory.open(
      {
        phones: store.phones,
        audit: {
          attest: async (entries) => {
            for (const { fact } of entries) await attestOnce(config, store, secrets, fact);
            return 'durable';
          },
        },
        clock: systemClock,
        random: systemRandom,
        logger: silentLog,
        // Passwords are bound to the realm that the house was started with.
        realm: (remembered(config.data)?.config ?? config).sip.realm,
        isExtension: (extension) => plan.extension(extension) !== undefined,
      },
      { watch: false },
    );
    const folders = dataFolders(config.data);
    const supervisor = readJson(join(folders.run, 'supervisor.json')) as { pid: number; startedTicks: string } | null;
    const isUp = supervisor !== null && isAlive(supervisor.pid, supervisor.startedTicks);
    const sip = sipServers(config, isUp);
    return await work(directory, { by: whoTypes(), examples: folders.examplePhones, isUp, sip });
  } finally {
    await store.close();
  }
}

/** As served now; else as configured, where that names a port. */
function sipServers(config: Config, isUp: boolean): readonly SipServer[] {
  const house = remembered(config.data);
  const ready = readJson(join(dataFolders(config.data).run, 'ready.json')) as Serves | null;
  const listens = isUp && ready !== null ? ready.sip : (house?.config ?? config).sip.listen;
  const advertised = house?.advertised ?? advertisedAddress(config);
  return listens.map((text) => reachable(text, advertised)).filter(({ address }) => !address.endsWith(':0'));
}

async function registered(store: Store): Promise<readonly ContactBinding[]> {
  const now = Date.now();
  return (await store.bindings<ContactBinding>().load()).filter(({ expiresAt }) => expiresAt > now);
}
