import { join } from 'node:path';
import { AuditReader } from '../audit-log/index.ts';
import { AUDIT_CHECKPOINT_FILE, AUDIT_HEAD_FILE, AUDIT_RECEIPT_FILE } from '../audit-log/options.ts';
import type { Config } from '../config/index.ts';
import type { Store } from '../storage/index.ts';
import type { Secrets } from '../vault/index.ts';
import { auditSigningSeed } from './audit-signing-seed.ts';

/** `copies`: files of signed heads that were kept elsewhere, beside those that the configuration names. */
export function auditReader(
  config: Config,
  store: Store,
  secrets: Secrets,
  copies: readonly string[] = [],
): AuditReader {
  return new AuditReader({
    store: store.chain,
    headPath: join(config.data, AUDIT_HEAD_FILE),
    headKey: secrets.auditHeadKey,
    signing: {
      seed: auditSigningSeed(config, secrets),
      receiptPath: join(config.data, AUDIT_RECEIPT_FILE),
      checkpointPath: join(config.data, AUDIT_CHECKPOINT_FILE),
      copies: [...config.audit.anchors.filter((place) => place.startsWith('/')), ...copies],
    },
    open: (sealed) => secrets.phi.open(sealed),
  });
}
