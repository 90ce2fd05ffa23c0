import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** Signs what leaves this house; whoever has the public key can check it, and nobody can make it without the other one. */
export interface SigningKey {
  /** First 16 hex digits of the SHA-256 of the public key: tells keys apart. */
  readonly id: string;
  /** 32 bytes as base64url, to be handed out. */
  readonly publicKey: string;
  /** Ed25519 (RFC 8032), base64url. */
  readonly sign: (text: string) => string;
}

/** Whose signatures count. */
export interface VerifyingKey {
  readonly id: string;
  readonly verify: (text: string, signature: string) => boolean;
}

/** How an Ed25519 key is wrapped as PKCS #8 and as SPKI (RFC 8410 section 7 and 4). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** `seed`: 32 bytes. */
export function signingKey(seed: Uint8Array): SigningKey {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const raw = rawOf(createPublicKey(key));
  return {
    id: idOf(raw),
    publicKey: raw.toString('base64url'),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  };
}

/** `publicKey`: as `SigningKey` gives it. */
export function verifyingKey(publicKey: string): VerifyingKey {
  const raw = Buffer.from(publicKey, 'base64url');
  const key = createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
  return {
    id: idOf(raw),
    verify: (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url')),
  };
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
}

function idOf(raw: Buffer): string {
  return createHash('sha256').update(raw).digest('hex').slice(0, 16);
}
