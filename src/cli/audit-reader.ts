import { join } from 'node:path';
import { AuditReader } from '../audit-log/index.ts';
import { AUDIT_HEAD_FILE } from '../audit-log/options.ts';
import type { Config } from '../config/index.ts';
import type { Store } from '../storage/index.ts';
import type { Secrets } from '../vault/index.ts';

export function auditReader(config: Config, store: Store, secrets: Secrets): AuditReader {
  return new AuditReader({
    store: store.chain,
    headPath: join(config.data, AUDIT_HEAD_FILE),
    headKey: secrets.auditHeadKey,
    open: (sealed) => secrets.phi.open(sealed),
  });
}
