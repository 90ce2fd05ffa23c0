import { MAX_RECIPIENTS } from './container.ts';
import { type KeySlot, keyIdOf, writeSlot } from './key-slot.ts';
import { SealError } from './seal-error.ts';

/**
 * Who opens a container: age identities (AGE-SECRET-KEY-1…), or who finds them by the ids of the keys that it is wrapped to.
 */
export type Identities = readonly string[] | ((keyIds: readonly string[]) => readonly string[]);

/** A slot that wraps the data key to age X25519 recipients (age1…). Throws SealError noRecipients, badRecipient, tooManyRecipients. */
export async function wrapKey(key: Uint8Array, name: Buffer, recipients: readonly string[]): Promise<Buffer> {
  if (recipients.length === 0) throw new SealError('noRecipients', 'a recording needs at least one recipient (age1…)');
  // Loaded with the first message: it takes a tenth of a second of every process, and most seal nothing.
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw new SealError('badRecipient', `${recipient.slice(0, 80)} is not an age recipient (age1…)`, cause);
    }
  }
  const wrapped = Buffer.from(await encrypter.encrypt(key));
  const slot =
    recipients.length > MAX_RECIPIENTS ? null : writeSlot({ name, keyIds: recipients.map(keyIdOf), wrapped });
  if (slot !== null) return slot;
  throw new SealError('tooManyRecipients', `a recording has room for ${MAX_RECIPIENTS} X25519 recipients`);
}

/** The data key; undefined when no identity fits. */
export async function unwrapKey(slots: readonly KeySlot[], identities: Identities): Promise<Buffer | undefined> {
  const { Decrypter } = await import('age-encryption');
  for (const { keyIds, wrapped } of slots) {
    const decrypter = new Decrypter();
    try {
      for (const one of typeof identities === 'function' ? identities(keyIds) : identities) decrypter.addIdentity(one);
      const key = Buffer.from(await decrypter.decrypt(wrapped));
      if (key.length === 32) return key;
    } catch {
      // The hash of the slot was right, so what remains is that no identity fits.
    }
  }
  return undefined;
}
