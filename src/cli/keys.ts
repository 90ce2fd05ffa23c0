import type { KeyOwner } from '../vault/index.ts';
import { newIdentity } from '../vault/index.ts';
import { attestAll } from './attest-once.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { dataFolders } from './folders.ts';
import { openHouseKeys, voicemailMasterKey } from './house-keys.ts';
import { keyAt } from './key-place.ts';
import { writeNew } from './new-file.ts';
import { done, no, Refusal, table } from './report.ts';
import { finishRotation, rotateKeys, type Rotated } from './rotate-keys.ts';
import { siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { whoTypes } from './who-types.ts';
import { instant } from '../core/time/index.ts';

interface WithReason extends CommonOptions {
  readonly reason: string;
}

interface Chosen extends WithReason {
  readonly mailbox?: string;
  readonly unit?: string;
  readonly house?: true;
}

export function keyCommands({ group, answer }: Commands): void {
  const keys = group('keys', 'whom messages are sealed to');
  keys('list')
    .description('the keys of mailboxes, units and the house; old ones last until nothing is sealed to them')
    .action(
      answer(async (options: CommonOptions) => {
        const config = siteConfig(options);
        const { store } = await siteStore(config, 'reader');
        try {
          const clock = await siteClock(config, store);
          const { ring, escrow } = openHouseKeys(config, dataFolders(config.data).secrets, null);
          const shown = ring.keys.map(({ kind, id, generation, keyId, recipient, madeAt }) => {
            const isNewest = ring.newest({ kind, id })?.keyId === keyId;
            return { kind, id, generation, keyId, recipient, madeAt, isNewest };
          });
          const rows = shown.map(({ kind, id, generation, keyId, madeAt, isNewest }) => {
            const made = clock.show(instant(madeAt));
            return [kind, id, String(generation), keyId, made, isNewest ? '' : 'has a successor'];
          });
          const officer = escrow.length === 0 ? 'Nobody: voicemail.escrow is empty.' : escrow.join(', ');
          return done(
            [
              ...table(['KIND', 'WHOSE', 'NUMBER', 'KEY', 'MADE', ''], rows),
              clock.note,
              `Everything is sealed to the privacy officer too: ${officer}`,
            ],
            { keys: shown, escrow },
          );
        } finally {
          await store.close();
        }
      }),
    );

  keys('rotate')
    .description('make new keys and wrap all messages and greetings to them; their sound is not touched')
    .option('--mailbox <id>', 'of one mailbox only')
    .option('--unit <id>', 'of one unit only')
    .option('--house', 'that of the house only')
    .requiredOption('--reason <words>', 'why, for the record')
    .action(
      answer(async (options: Chosen) => {
        mustHaveReason(options);
        return reportOf(await rotateKeys(options, ownerOf(options), options.reason));
      }),
    );

  keys('finish')
    .description('do what an interrupted rotation has left; a house that is up does it by itself')
    .action(answer(async (options: CommonOptions) => reportOf(await finishRotation(options))));

  keys('escrow')
    .description('make a key pair for the privacy officer; the private half is kept away from this machine')
    .requiredOption('--out <file>', 'where the private half is written to, readable by you alone')
    .action(
      answer(async ({ out }: CommonOptions & { out: string }) => {
        const { identity, recipient } = newIdentity();
        await writeNew(out, async (file) => {
          await new Promise<void>((resolve, reject) => {
            file.once('error', reject);
            file.end(`# public key: ${recipient}\n${identity}\n`, resolve);
          });
        });
        return done(
          [
            `${out} opens every message sealed from now on: take it to where only the privacy officer gets at it.`,
            `In the configuration: voicemail: {escrow: [${recipient}]}`,
          ],
          { out, recipient },
        );
      }),
    );

  keys('master')
    .description('seal the private keys with another master key; then let voicemail.masterKey name it')
    .requiredOption('--to <place>', 'where the new one comes from, written as voicemail.masterKey')
    .requiredOption('--reason <words>', 'why, for the record')
    .action(
      answer(async (options: WithReason & { to: string }) => {
        mustHaveReason(options);
        const config = siteConfig(options);
        const { store, secrets } = await siteStore(config, 'guest');
        try {
          const next = keyAt('--to', options.to, secrets.voicemailMasterKey);
          const { ring } = openHouseKeys(config, dataFolders(config.data).secrets, voicemailMasterKey(config, secrets));
          const { reason } = options;
          const fact = { fact: 'masterKeyChanged', keys: ring.keys.length, reason, by: whoTypes() } as const;
          await attestAll(config, store, secrets, [fact]);
          const changed = ring.changeMaster(next);
          return done(
            [
              `${changed} keys are sealed with the new master key. Now set voicemail.masterKey to it and start the house again;`,
              'one that is up goes on with what it has.',
            ],
            { keys: changed },
          );
        } finally {
          await store.close();
        }
      }),
    );
}

/** null: all of them. */
function ownerOf({ mailbox, unit, house }: Chosen): KeyOwner | null {
  const chosen: readonly KeyOwner[] = [
    ...(mailbox === undefined ? [] : [{ kind: 'mailbox', id: mailbox } as const]),
    ...(unit === undefined ? [] : [{ kind: 'unit', id: unit } as const]),
    ...(house === undefined ? [] : [{ kind: 'house', id: '' } as const]),
  ];
  if (chosen.length > 1) throw new Refusal('give one of --mailbox, --unit and --house, or none for all keys', 2);
  return chosen[0] ?? null;
}

function reportOf({ made, rewrapped, left, retired, waiting }: Rotated) {
  const text = [
    `${made} new keys; ${rewrapped} messages and greetings wrapped to the keys of now; ${retired} old keys shredded.`,
    ...(waiting === 0 ? [] : [`${waiting} old keys are shredded by the house, an hour after their successors came.`]),
    ...left.map(({ file, why }) => `${file} could not be wrapped anew (${why}); no old key is shredded until it is.`),
  ];
  const json = { made, rewrapped, retired, waiting, left };
  return left.length === 0 ? done(text, json) : no(text, json);
}

function mustHaveReason({ reason }: WithReason): void {
  if (reason.trim() !== '' && reason.length <= 200) return;
  throw new Refusal('--reason takes 1 to 200 characters, and no names of patients', 2);
}
