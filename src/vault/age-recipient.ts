import { createPrivateKey, createPublicKey } from 'node:crypto';
import { bech32 } from '@scure/base';

/** RFC 8410: what stands before the 32 bytes of a private X25519 key in PKCS #8. */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * The recipient (age1…) of an X25519 identity (AGE-SECRET-KEY-1…), as the age format defines it. Every command needs it, and
 * the age library takes a tenth of a second to load. Throws Error for what is no identity.
 */
export function recipientOf(identity: string): string {
  const { prefix, bytes } = bech32.decodeToBytes(identity);
  if (prefix.toUpperCase() !== 'AGE-SECRET-KEY-' || bytes.length !== 32) throw new Error('not an X25519 identity');
  const der = Buffer.concat([PKCS8_X25519, bytes]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  der.fill(0);
  return bech32.encodeFromBytes('age', key.export({ format: 'der', type: 'spki' }).subarray(-32));
}
