import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { bech32 } from '@scure/base';

/** RFC 8410: what stands before the 32 bytes of a private X25519 key in PKCS #8. */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const KEY_BYTES = 32;

/**
 * The recipient (age1…) of an X25519 identity (AGE-SECRET-KEY-1…), as the age format defines it. Every command needs it, and
 * the age library takes a tenth of a second to load. Throws Error for what is no identity.
 */
export function recipientOf(identity: string): string {
  const { prefix, bytes } = bech32.decodeToBytes(identity);
  if (prefix.toUpperCase() !== 'AGE-SECRET-KEY-' || bytes.length !== KEY_BYTES)
    throw new Error('not an X25519 identity');
  const der = Buffer.concat([PKCS8_X25519, bytes]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  der.fill(0);
  return bech32.encodeFromBytes('age', bytesOf(key));
}

/** A new identity, and whom to seal to. */
export function newIdentity(): { readonly identity: string; readonly recipient: string } {
  const { privateKey } = generateKeyPairSync('x25519');
  const identity = bech32.encodeFromBytes('AGE-SECRET-KEY-', bytesOf(privateKey)).toUpperCase();
  return { identity, recipient: recipientOf(identity) };
}

/** Whether `text` names somebody to seal to (age1…, X25519). */
export function isRecipient(text: string): boolean {
  try {
    const { prefix, bytes } = bech32.decodeToBytes(text);
    return prefix === 'age' && bytes.length === KEY_BYTES;
  } catch {
    return false;
  }
}

function bytesOf(key: KeyObject): Buffer {
  const der = key.export(
    key.type === 'public' ? { format: 'der', type: 'spki' } : { format: 'der', type: 'pkcs8' },
  ) as Buffer;
  return der.subarray(-KEY_BYTES);
}
