import type { SystemFact } from '../core/audit/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Message, Store } from '../storage/index.ts';
import { shredSealed } from '../vault/index.ts';
import { textPath } from './text-path.ts';

/**
 * Shreds the key of a message for good. The receipt is on record before its sound is gone, and the row stays, so that it is
 * known that there was a message and who ended it. Resolves with the digest on the receipt, '' where the file was gone.
 */
export async function shredMessage(
  { messageId, mailbox, path }: Message,
  receipt: Pick<Extract<SystemFact, { fact: 'messageShredded' }>, 'because' | 'reason' | 'by'>,
  parts: { readonly store: Store; readonly at: Instant; readonly attest: (fact: SystemFact) => Promise<unknown> },
): Promise<string> {
  const { store, at, attest } = parts;
  await store.messages.change(messageId, 'deleted', { at, by: receipt.by });
  await attest({ fact: 'messageShredOrdered', messageId, mailbox, ...receipt });
  // What was made of the sound goes first.
  await shredSealed(textPath(path));
  const sha256 = (await shredSealed(path)) ?? '';
  await store.messages.shredded(messageId, at);
  await attest({ fact: 'messageShredded', messageId, mailbox, sha256, ...receipt });
  return sha256;
}
