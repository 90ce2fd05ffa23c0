import { statfsSync } from 'node:fs';
import type { CompiledPlan } from '../../core/dialplan/index.ts';
import { noMessages, rulesOf, type WaitingMessages } from '../../core/voicemail/index.ts';
import { Pins } from '../../directory/index.ts';
import { systemClock } from '../../engine/index.ts';
import type { Mailboxes } from '../../engine/ports.ts';
import type { Lamps } from '../../telephony/index.ts';
import type { Message } from '../../storage/index.ts';
import { sealedKey, shredSealed } from '../../vault/index.ts';
import type { Foundation } from './foundation.ts';
import { forwardMessage } from './forward-message.ts';
import type { PatientWriter } from './patient-writer.ts';
import { sealedPath } from './sealed-path.ts';

/** For all messages that may be recorded at once: twenty of three minutes are 29 MB. */
const leastFreeBytes = 32 * 1024 ** 2;

/** A disk that cannot be asked is tried: the recorder says itself that it failed. */
function hasRoom(folder: string, log: Foundation['log']): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize >= leastFreeBytes) return true;
    log.error({ folder, freeBytes: bavail * bsize, leastFreeBytes }, 'no room for messages: make some');
    return false;
  } catch (error) {
    log.error({ folder, err: error }, 'free space could not be looked up');
    return true;
  }
}

/** The mailboxes of the store, as calls see them. */
export function mailboxesOf(
  foundation: Foundation,
  writer: PatientWriter,
  parts: { readonly plan: () => CompiledPlan; readonly sealTo: (mailbox: string) => readonly string[] },
): Mailboxes {
  const { store, log, secrets, folders } = foundation;
  const pins = new Pins(store.pins, systemClock);
  return {
    count(mailbox) {
      try {
        const { fresh, saved } = store.messages.count(mailbox);
        return fresh + saved;
      } catch (error) {
        // Nobody is turned away because a disk is slow.
        log.error({ mailbox, err: error }, 'messages could not be counted');
        return 0;
      }
    },
    async checkPin({ mailbox, pin, from }) {
      // The store keeps no number of an outside caller, only whether it is the same one.
      const who = typeof from === 'string' ? from : secrets.phi.blind(from.reveal());
      try {
        return await pins.check(mailbox, pin, who);
      } catch (error) {
        log.error({ mailbox, err: error }, 'PIN could not be checked');
        return 'paused';
      }
    },
    async list(mailbox) {
      try {
        const messages = await store.messages.list(mailbox);
        return messages.flatMap((message) => briefOf(message, (callId) => store.calls.callerOf(callId)));
      } catch (error) {
        log.error({ mailbox, err: error }, 'messages could not be listed');
        return null;
      }
    },
    hasRoomToRecord: () => hasRoom(folders.messages, log),
    greetingsOf(mailbox) {
      try {
        return store.greetings.of(mailbox);
      } catch (error) {
        log.error({ mailbox, err: error }, 'greetings could not be looked up: callers hear that of the house');
        return {};
      }
    },
    setGreeting(mailbox, kind, greetingId, by) {
      const done = { at: systemClock.now(), by };
      void writer.write(`greeting ${kind} of ${mailbox}`, async () => {
        const before = store.greetings.of(mailbox)[kind];
        store.greetings.set(mailbox, kind, greetingId, done);
        if (before !== undefined && before !== greetingId) await shredSealed(sealedPath(folders, before));
      });
    },
    setAbsenceEnd(mailbox, endsAt) {
      void writer.write(`end of the absence of ${mailbox}`, async () => store.greetings.setAbsenceEnd(mailbox, endsAt));
    },
    async claim(messageId, by) {
      const at = systemClock.now();
      try {
        await store.messages.change(messageId, 'claimed', { at, by });
        return (await store.messages.find(messageId))?.claimed?.by ?? by;
      } catch (error) {
        log.error({ message: messageId, err: error }, 'claim is written as soon as the store takes it');
        // Whoever says "mine" is not turned away because a disk is slow.
        void writer.write(`message ${messageId} claimed`, () =>
          store.messages.change(messageId, 'claimed', { at, by }),
        );
        return by;
      }
    },
    forward: (sending) => forwardMessage(foundation, writer, { plan: parts.plan(), sealTo: parts.sealTo }, sending),
    handOver(messageId, service, by) {
      const done = { at: systemClock.now(), by };
      void writer.write(`message ${messageId} handed over`, () => store.messages.handOver(messageId, service, done));
    },
    change(messageId, change, by) {
      const done = { at: systemClock.now(), by };
      void writer.write(`message ${messageId} ${change}`, () => store.messages.change(messageId, change, done));
    },
  };
}

function briefOf(message: Message, callerOf: (callId: string) => string | null) {
  const { messageId, at, isUrgent, isPrivate, state, callId, heard, claimed, sentBy, copyOf, service } = message;
  if (state === 'deleted') return [];
  const caller = callId === null ? null : callerOf(callId);
  // An outside number stays where it is sealed.
  const from = extensionOf(caller);
  const callBack = extensionOf(message.callBack?.reveal() ?? null);
  const isNew = state === 'new' && heard === null;
  return [
    {
      messageId,
      at,
      isUrgent,
      isPrivate,
      from,
      callBack,
      sentBy,
      service,
      state: isNew ? 'new' : 'saved',
      isClaimed: claimed !== null,
      isForwarded: copyOf !== null,
    },
  ] as const;
}

function extensionOf(number: string | null): string | null {
  return number !== null && /^\d{2,6}$/.test(number) ? number : null;
}

/** The key of one message, for the media server that plays it. Rejects with what is wrong. */
export async function messageKey({ folders, keys, record }: Foundation, messageId: string): Promise<Uint8Array> {
  const about = { messageId, use: 'heard', by: 'system' } as const;
  const found = await keys.opening(about, record, (identities) =>
    sealedKey(sealedPath(folders, messageId), identities),
  );
  if (found.kind === 'refused') throw new Error(`the message cannot be opened (${found.reason})`);
  return found.key;
}

/** Which phone shows the lamp of which mailbox is in the plan in force. */
export function lampsOf({ store, log }: Foundation, plan: () => CompiledPlan): Lamps {
  let known = new Map<string, WaitingMessages>();
  return {
    now() {
      try {
        known = store.messages.counts();
      } catch (error) {
        // What was known last is better than lamps that go out.
        log.error({ err: error }, 'messages could not be counted');
      }
      const inForce = plan();
      const mailboxes = new Map(
        inForce.source.mailboxes.flatMap(({ id }) => rulesOf(inForce, id).phones.map((phone) => [phone, id] as const)),
      );
      return (extension) => {
        const mailbox = mailboxes.get(extension);
        return mailbox === undefined ? null : (known.get(mailbox) ?? noMessages);
      };
    },
  };
}
