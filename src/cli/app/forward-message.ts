import type { CompiledPlan } from '../../core/dialplan/index.ts';
import { noticesOf } from '../../core/voicemail/index.ts';
import { systemClock } from '../../engine/index.ts';
import type { Forwarding } from '../../engine/ports.ts';
import { resealFor, shredSealed } from '../../vault/index.ts';
import type { Foundation } from './foundation.ts';
import type { PatientWriter } from './patient-writer.ts';
import { sealedPath } from './sealed-path.ts';

/**
 * Puts a message into another mailbox: a file of its own, under a key of its own for whoever opens that mailbox. The entry in
 * the list comes last; a copy without one is shredded at the next start. Resolves with what is in the way, null when it is
 * there; never rejects.
 */
export async function forwardMessage(
  { store, folders, log, keys, record }: Pick<Foundation, 'store' | 'folders' | 'log' | 'keys' | 'record'>,
  writer: Pick<PatientWriter, 'write'>,
  { plan, sealTo }: { readonly plan: CompiledPlan; readonly sealTo: (mailbox: string) => readonly string[] },
  { messageId, commentId, to, copyId, isUrgent, by }: Forwarding,
): Promise<string | null> {
  const path = sealedPath(folders, copyId);
  const comment = commentId === null ? null : sealedPath(folders, commentId);
  try {
    const message = await store.messages.find(messageId);
    if (message === null || message.shreddedAt !== null) return 'the message is gone';
    const at = systemClock.now();
    const made = await keys.opening({ messageId, use: 'forwarded', by }, record, (identities) =>
      resealFor({
        from: comment === null ? [message.path] : [comment, message.path],
        to: path,
        identities,
        recipients: sealTo(to),
        metadata: { startedAt: new Date(at).toISOString() },
      }),
    );
    if (made.kind === 'refused') return `it cannot be opened (${made.reason})`;
    const { callId, callBack } = message;
    const copy = {
      messageId: copyId,
      mailbox: to,
      callId,
      at,
      durationMs: made.durationMs,
      isUrgent,
      isPrivate: false,
      callBack,
      service: null,
      urgency: null,
      sentBy: by,
      copyOf: messageId,
      path,
      exportedAt: null,
    };
    await writer.write(`message ${copyId}`, () => store.saveMessage(copy, noticesOf(plan, copy)));
    return null;
  } catch (error) {
    log.error({ message: messageId, mailbox: to, err: error }, 'message could not be forwarded');
    return 'it could not be written';
  } finally {
    if (comment !== null)
      await shredSealed(comment).catch((error: unknown) => log.error({ err: error }, 'comment stays'));
  }
}
