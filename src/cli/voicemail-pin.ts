import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { instant } from '../core/time/index.ts';
import { pinFault, rulesOf } from '../core/voicemail/index.ts';
import { makePin, Pins } from '../directory/index.ts';
import { systemClock, systemRandom } from '../engine/index.ts';
import { attestOnce } from './attest-once.ts';
import type { CommonOptions, Commands, Group } from './command-line.ts';
import { done, Refusal } from './report.ts';
import { siteDocuments } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { whoTypes } from './who-types.ts';

interface PinOptions extends CommonOptions {
  readonly pinFile?: string;
  readonly generate?: boolean;
}

export function pinCommands(voicemail: Group, answer: Commands['answer']): void {
  const pin = voicemail.group('pin', 'what opens a mailbox by phone');
  unlockCommand(pin, answer);
  pin('set <mailbox>')
    .description('asks for a PIN of 6 digits or more, without showing it; a pause after wrong ones is over with it')
    .option('--generate', 'make one, and show it once; so it is done where there is no terminal')
    .option('--pin-file <file>', 'first line: the PIN, "-" for standard input')
    .action(
      answer(async (mailbox: string, options: PinOptions) => {
        const config = siteConfig(options);
        const { plan } = await siteDocuments(config, instant(Date.now()));
        if (plan.mailbox(mailbox) === undefined) {
          const known = plan.source.mailboxes.map(({ id }) => id).join(', ');
          throw new Refusal(`there is no mailbox ${mailbox}; there are ${known}`, 2);
        }
        const { number, phones } = rulesOf(plan, mailbox);
        const known = [...phones, ...(number === null ? [] : [number])];
        const given = await givenPin(options);
        const fault = given === null ? null : pinFault(given, known);
        if (fault !== null) throw new Refusal(`this PIN is too easy to guess: ${fault}; take another one`);
        const chosen = given ?? makePin(systemRandom, known);
        const { store, secrets } = await siteStore(config, 'guest');
        try {
          const by = whoTypes();
          await attestOnce(config, store, secrets, { fact: 'pinSet', mailbox, by });
          await new Pins(store.pins, systemClock).set(mailbox, chosen, by, known);
        } finally {
          await store.close();
        }
        const shown = given === null ? [`Its PIN is ${chosen}. It is not shown again.`] : [];
        return done([`Mailbox ${mailbox} has a PIN.`, ...shown], {
          mailbox,
          ...(given === null ? { pin: chosen } : {}),
        });
      }),
    );
}

function unlockCommand(pin: Group, answer: Commands['answer']): void {
  pin('unlock <mailbox>')
    .description('ends the pause after wrong PINs; the PIN stays as it is')
    .option('--from <extension>', 'also the pause of the phone from which they were tried')
    .requiredOption('--reason <words>', 'why, for the record')
    .action(
      answer(async (mailbox: string, options: CommonOptions & { from?: string; reason: string }) => {
        if (options.reason.trim() === '' || options.reason.length > 200) {
          throw new Refusal('--reason takes 1 to 200 characters, and no names of patients', 2);
        }
        const config = siteConfig(options);
        const { store, secrets } = await siteStore(config, 'guest');
        try {
          const about = [`mailbox ${mailbox}`, ...(options.from === undefined ? [] : [`from ${options.from}`])];
          const tried = about.filter((one) => store.pins.tries(one) !== null);
          if (tried.length === 0) {
            throw new Refusal(`no wrong PIN is on record for ${about.join(' and ')}: nothing was changed`);
          }
          const who = { by: whoTypes(), reason: options.reason, phone: options.from ?? '' };
          await attestOnce(config, store, secrets, { fact: 'pinUnlocked', mailbox, ...who });
          for (const one of tried) store.pins.noteTries(one, null);
          return done([`PINs are looked at again for ${tried.join(' and ')}.`], { mailbox, unlocked: tried });
        } finally {
          await store.close();
        }
      }),
    );
}

/** null: one is to be made. Never an argument of the command: those are seen by everybody on the machine. */
async function givenPin({ pinFile, generate }: PinOptions): Promise<string | null> {
  if (generate) return null;
  if (pinFile !== undefined) return firstLine(pinFile);
  if (!process.stdin.isTTY) return null;
  const pin = await askHidden('PIN: ');
  if ((await askHidden('Once more: ')) !== pin) throw new Refusal('the two are not the same: nothing was changed');
  return pin;
}

function firstLine(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/)[0] ?? '';
  } catch (error) {
    throw new Refusal(`--pin-file ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** What is typed does not show. */
function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, written) => written() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      process.stderr.write('\n');
      resolve(line.trim());
      lines.close();
    });
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => reject(new Refusal('nothing was changed')));
  });
}
