import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';

/** Seals short texts that name a caller or a patient. AES-256-GCM; sealing a text twice gives different ciphertexts. */
export interface PhiSealer {
  /** "p1." and base64url of nonce, ciphertext and tag. */
  seal(text: string): string;
  /** null when it was sealed with another key, was altered, or is not sealed at all. */
  open(sealed: string): string | null;
  /** The same word for the same text, which tells nobody without the key what the text was: to find it again. */
  blind(text: string): string;
}

const PREFIX = 'p1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** 132 bits. */
const BLIND_CHARACTERS = 22;

/** `keyBytes`: 32 of them. Random nonces are safe for 2^32 texts with one key (NIST SP 800-38D 8.3). */
export function phiSealer(keyBytes: Uint8Array): PhiSealer {
  // Made once: from bare bytes node:crypto 24 makes it anew for each text, which takes 30 µs.
  const key = createSecretKey(keyBytes);
  const blindKey = createSecretKey(Buffer.from(hkdfSync('sha256', keyBytes, '', 'wardline number index 1', 32)));
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return PREFIX + body.toString('base64url');
    },
    blind(text) {
      return createHmac('sha256', blindKey).update(text).digest('base64url').slice(0, BLIND_CHARACTERS);
    },
    open(sealed) {
      if (!sealed.startsWith(PREFIX)) return null;
      const body = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
      if (body.length < NONCE_BYTES + TAG_BYTES) return null;
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(body.subarray(-TAG_BYTES));
      try {
        return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        // Authentication failed: the only way node:crypto has to say it.
        return null;
      }
    },
  };
}
