import type { AuditReader } from '../../audit-log/index.ts';
import type { Config } from '../../config/index.ts';
import type { SystemFact } from '../../core/audit/index.ts';
import type { Store, StoreRole } from '../../storage/index.ts';
import { attestOnce } from '../attest-once.ts';
import { auditReader } from '../audit-reader.ts';
import type { CommonOptions } from '../command-line.ts';
import type { Report } from '../report.ts';
import { knownDocuments } from '../site-documents.ts';
import { siteConfig, siteStore } from '../site.ts';

export interface SiteAudit {
  readonly config: Config;
  readonly store: Store;
  readonly reader: AuditReader;
  /** Name and zone of the site; UTC while the documents do not say where it is. */
  readonly site: string;
  readonly zone: string;
  /** What a command is about to do. Rejects when it cannot be recorded; then it is not done. */
  readonly record: (fact: SystemFact) => Promise<void>;
  /** The word under which a number is found. */
  readonly blind: (number: string) => string;
}

/** Opens the audit of a house for a command, and closes it. `copies`: signed heads that were kept elsewhere. */
export async function withAudit(
  options: CommonOptions,
  role: Exclude<StoreRole, 'owner'>,
  work: (site: SiteAudit) => Promise<Report>,
  copies: readonly string[] = [],
): Promise<Report> {
  const config = siteConfig(options);
  const { store, secrets } = await siteStore(config, role);
  try {
    const documents = await knownDocuments(config, store);
    return await work({
      config,
      store,
      site: documents?.plan.source.site ?? 'a house without a name',
      zone: documents?.plan.source.zone ?? 'UTC',
      reader: auditReader(config, store, secrets, copies),
      blind: (number) => secrets.phi.blind(number),
      record: (fact) => attestOnce(config, store, secrets, fact),
    });
  } finally {
    await store.close();
  }
}
