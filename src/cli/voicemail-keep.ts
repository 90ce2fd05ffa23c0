import { instant } from '../core/time/index.ts';
import type { Message, Store } from '../storage/index.ts';
import { attestOnce } from './attest-once.ts';
import type { CommonOptions, Commands, Group } from './command-line.ts';
import { done, Refusal } from './report.ts';
import { shredMessage } from './shred-message.ts';
import { siteConfig, siteStore } from './site.ts';
import { whoTypes } from './who-types.ts';

interface WithReason extends CommonOptions {
  readonly reason: string;
}

/** What becomes of a message: shredded, held for a court, or given free again. */
export function keepCommands(voicemail: Group, answer: Commands['answer']): void {
  const withReason = (name: string, says: string) =>
    voicemail(name).description(says).requiredOption('--reason <words>', 'why, for the record');

  withReason('delete <message>', 'shred the key of a message; nobody can hear it any more').action(
    answer((messageId: string, options: WithReason) =>
      onMessage(messageId, options, async (message, { store, attest, by }) => {
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

  withReason('hold <message>', 'keep a message whatever the rules say, until it is released').action(
    answer((messageId: string, options: WithReason) =>
      onMessage(messageId, options, async ({ mailbox }, { store, attest, by }) => {
        await attest({ fact: 'messageHeld', messageId, mailbox, reason: options.reason, by });
        await store.messages.hold(messageId, { at: instant(Date.now()), by });
        return done([`Message ${messageId} is held.`], { messageId, held: true });
      }),
    ),
  );

  withReason('release <message>', 'the rules count for a held message again').action(
    answer((messageId: string, options: WithReason) =>
      onMessage(messageId, options, async ({ mailbox }, { store, attest, by }) => {
        await attest({ fact: 'messageReleased', messageId, mailbox, reason: options.reason, by });
        await store.messages.hold(messageId, null);
        return done([`Message ${messageId} is not held any more.`], { messageId, held: false });
      }),
    ),
  );
}

interface Hands {
  readonly store: Store;
  readonly attest: (fact: Parameters<typeof attestOnce>[3]) => Promise<void>;
  readonly by: string;
}

async function onMessage<T>(
  messageId: string,
  options: WithReason,
  work: (message: Message, hands: Hands) => Promise<T>,
): Promise<T> {
  if (options.reason.trim() === '' || options.reason.length > 200) {
    throw new Refusal('--reason takes 1 to 200 characters, and no names of patients', 2);
  }
  const config = siteConfig(options);
  const { store, secrets } = await siteStore(config, 'guest');
  try {
    const message = await store.messages.find(messageId);
    if (message === null || message.shreddedAt !== null) {
      throw new Refusal(`there is no message ${messageId}: "wardline voicemail list" shows those that there are`);
    }
    const attest: Hands['attest'] = (fact) => attestOnce(config, store, secrets, fact);
    return await work(message, { store, attest, by: whoTypes() });
  } finally {
    await store.close();
  }
}
