import type { Config } from '../config/index.ts';
import type { Secrets } from '../vault/index.ts';
import { keyAt } from './key-place.ts';

/** The Ed25519 seed that signs the audit, from where `audit.signingKey` says. Throws as `keyAt`. */
export function auditSigningSeed(
  { audit: { signingKey } }: Pick<Config, 'audit'>,
  secrets: Pick<Secrets, 'auditSigningSeed'>,
): Uint8Array {
  return keyAt('audit.signingKey', signingKey, secrets.auditSigningSeed);
}
