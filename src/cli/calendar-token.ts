import { createHash, randomBytes } from 'node:crypto';

/** 256 bits: nobody guesses it, so that a plain hash of it is as good at rest as a slow one. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
