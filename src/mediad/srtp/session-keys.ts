/** Session keys from a master key, RFC 3711 section 4.3, at key derivation rate 0: derived once. */
import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { MasterKey } from './suites.ts';

export interface SessionKeys {
  /** Prepared: with bare bytes every packet would look the cipher up anew, which costs more than the packet. */
  readonly key: KeyObject;
  readonly salt: Buffer;
  /** Of HMAC-SHA1; an AEAD needs none. */
  readonly auth: Buffer;
}

const AUTH_BYTES = 20;
const LABELS = { rtp: { key: 0, auth: 1, salt: 2 }, rtcp: { key: 3, auth: 4, salt: 5 } } as const;

export function sessionKeys(master: MasterKey, of: 'rtp' | 'rtcp'): SessionKeys {
  const { key, salt } = master;
  const labels = LABELS[of];
  return {
    key: createSecretKey(derive(master, labels.key, key.length)),
    salt: derive(master, labels.salt, salt.length),
    auth: derive(master, labels.auth, AUTH_BYTES),
  };
}

function derive({ key, salt }: MasterKey, label: number, bytes: number): Buffer {
  // 112 bits of salt and a 16-bit counter; the 96 bits of an AEAD are filled up with zeros (RFC 7714 section 11).
  const iv = Buffer.alloc(16);
  iv.set(salt);
  iv[7]! ^= label;
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(bytes));
}
