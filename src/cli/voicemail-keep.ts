import { instant } from '../core/time/index.ts';
import type { CommonOptions, Commands, Group } from './command-line.ts';
import { onMessage } from './on-message.ts';
import { done, Refusal } from './report.ts';
import { openText } from '../vault/index.ts';
import { knownDocuments } from './site-documents.ts';
import { shredMessage } from './shred-message.ts';
import { textPath } from './text-path.ts';

interface WithReason extends CommonOptions {
  readonly reason: string;
}

/** What becomes of a message: shredded, held for a court, or given free again. */
export function keepCommands(voicemail: Group, answer: Commands['answer']): void {
  const withReason = (name: string, says: string) =>
    voicemail(name).description(says).requiredOption('--reason <words>', 'why, for the record');

  withReason('delete <message>', 'shred the key of a message; nobody can hear it any more').action(
    answer((messageId: string, options: WithReason) =>
      withMessage(messageId, options, async (message, { store, attest, by }) => {
        if (message.held !== null) {
          throw new Refusal(`message ${messageId} is held by ${message.held.by}: release it first`);
        }
        const receipt = { because: 'ordered', reason: options.reason, by } as const;
        const at = instant(Date.now());
        const sha256 = await shredMessage(message, receipt, { store, at, attest });
        return done([`Message ${messageId} was shredded. Receipt: SHA-256 ${sha256}`], { messageId, sha256 });
      }),
    ),
  );

  withReason('restore <message>', 'bring a message back that was deleted by phone less than a day ago').action(
    answer((messageId: string, options: WithReason) =>
      withMessage(messageId, options, async ({ mailbox, state }, { store, attest, by }) => {
        if (state !== 'deleted') throw new Refusal(`message ${messageId} is not deleted`);
        const who = { person: by, device: 'command line', reason: options.reason };
        await attest({ fact: 'messageAccessed', how: 'restored', messageId, mailbox, ...who });
        await store.messages.change(messageId, 'restored', { at: instant(Date.now()), by });
        return done([`Message ${messageId} is back, among those that were kept.`], { messageId, state: 'saved' });
      }),
    ),
  );

  withReason('text <message>', 'read what was made of a message, where a transcription is set up').action(
    answer((messageId: string, options: WithReason) =>
      withMessage(messageId, options, async ({ mailbox, path }, { openKeys, attest, by }) => {
        const opened = await openKeys().opening({ messageId, use: 'read', by }, attest, (identities) =>
          openText(textPath(path), identities),
        );
        if (opened === null) throw new Refusal(`no text was made of message ${messageId}: "wardline voicemail export"`);
        if (opened.kind === 'refused')
          throw new Refusal(`the text of ${messageId} cannot be opened (${opened.reason})`);
        const who = { person: by, device: 'command line', reason: options.reason };
        // Who read it is on record before there is something to read.
        await attest({ fact: 'messageAccessed', how: 'read', messageId, mailbox, ...who });
        return done([opened.text], { messageId, text: opened.text });
      }),
    ),
  );

  withReason('claim <message>', 'say that you take care of a message: nobody is called about it any more').action(
    answer((messageId: string, options: WithReason) =>
      withMessage(messageId, options, async ({ mailbox, claimed }, { store, attest, by }) => {
        if (claimed !== null) throw new Refusal(`message ${messageId} has been claimed by ${claimed.by} already`);
        const who = { person: by, device: 'command line', reason: options.reason };
        await attest({ fact: 'messageAccessed', how: 'claimed', messageId, mailbox, ...who });
        await store.messages.change(messageId, 'claimed', { at: instant(Date.now()), by });
        return done([`Message ${messageId} is yours.`], { messageId, claimed: by });
      }),
    ),
  );

  withReason('save <message>', 'among those that were kept, as key 2 of the phone does').action(
    answer((messageId: string, options: WithReason) =>
      withMessage(messageId, options, async ({ mailbox, state }, { store, attest, by }) => {
        if (state === 'deleted')
          throw new Refusal(`message ${messageId} is deleted: "wardline voicemail restore" first`);
        const who = { person: by, device: 'command line', reason: options.reason };
        await attest({ fact: 'messageAccessed', how: 'saved', messageId, mailbox, ...who });
        await store.messages.change(messageId, 'saved', { at: instant(Date.now()), by });
        return done([`Message ${messageId} is among those that were kept.`], { messageId, state: 'saved' });
      }),
    ),
  );

  withReason(
    'hand-over <message>',
    'to whoever is on call for a service: it is urgent, and followed until somebody claims it',
  )
    .requiredOption('--to <service>', 'whose chain is called')
    .action(
      answer((messageId: string, options: WithReason & { readonly to: string }) =>
        withMessage(messageId, options, async ({ mailbox, isPrivate, state }, { config, store, attest, by }) => {
          if (isPrivate) throw new Refusal(`message ${messageId} is private: it is for mailbox ${mailbox} alone`);
          if (state === 'deleted')
            throw new Refusal(`message ${messageId} is deleted: "wardline voicemail restore" first`);
          const services = (await knownDocuments(config, store))?.roster.services().map(({ id }) => String(id)) ?? [];
          if (!services.includes(options.to)) {
            throw new Refusal(`--to ${options.to}: there is no such service; there are ${services.join(', ')}`, 2);
          }
          const who = { person: by, device: 'command line', reason: options.reason, to: options.to };
          await attest({ fact: 'messageAccessed', how: 'handedOver', messageId, mailbox, ...who });
          store.messages.handOver(messageId, options.to, { at: instant(Date.now()), by });
          return done(
            [`Message ${messageId} goes to whoever is on call for ${options.to}: "wardline voicemail chases"`],
            {
              messageId,
              to: options.to,
            },
          );
        }),
      ),
    );

  withReason('hold <message>', 'keep a message whatever the rules say, until it is released').action(
    answer((messageId: string, options: WithReason) =>
      withMessage(messageId, options, async ({ mailbox }, { store, attest, by }) => {
        await attest({ fact: 'messageHeld', messageId, mailbox, reason: options.reason, by });
        await store.messages.hold(messageId, { at: instant(Date.now()), by });
        return done([`Message ${messageId} is held.`], { messageId, held: true });
      }),
    ),
  );

  withReason('release <message>', 'the rules count for a held message again').action(
    answer((messageId: string, options: WithReason) =>
      withMessage(messageId, options, async ({ mailbox }, { store, attest, by }) => {
        await attest({ fact: 'messageReleased', messageId, mailbox, reason: options.reason, by });
        await store.messages.hold(messageId, null);
        return done([`Message ${messageId} is not held any more.`], { messageId, held: false });
      }),
    ),
  );
}

/** As `onMessage`, for what has to be accounted for. */
function withMessage<T>(messageId: string, options: WithReason, work: Parameters<typeof onMessage<T>>[2]): Promise<T> {
  if (options.reason.trim() === '' || options.reason.length > 200) {
    throw new Refusal('--reason takes 1 to 200 characters, and no names of patients', 2);
  }
  return onMessage(messageId, options, work);
}
