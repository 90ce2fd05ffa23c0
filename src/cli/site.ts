import { existsSync } from 'node:fs';
import { type Config, loadConfig } from '../config/index.ts';
import { openStore, type Store, type StoreRole } from '../storage/index.ts';
import type { Secrets } from '../vault/index.ts';
import { dataFolders } from './folders.ts';
import { houseSecrets } from './house-secrets.ts';
import type { CommonOptions } from './command-line.ts';
import { Refusal } from './report.ts';
import { remembered } from './remembered.ts';

export { instantFrom } from './site-time.ts';

/** The configuration for a command; what the house of this data folder was started with fills what is not given. */
export function siteConfig(options: CommonOptions): Config {
  const sources = {
    set: options.set,
    ...(options.config === undefined ? {} : { file: options.config }),
    ...(options.data === undefined ? {} : { data: options.data }),
  };
  const first = loadConfig(sources);
  if (first.kind === 'bad') throw new Refusal(first.problems.join('\nwardline: '));
  const documents = remembered(first.value.data)?.config;
  if (documents === undefined || options.config !== undefined) return first.value;
  // Weakest of all: somebody who types `--data` alone means the house that lives there.
  const { dialplans, oncall } = documents;
  const before = { dialplans, oncall, ...auditOf(documents), ...voicemailOf(documents) };
  const filled = loadConfig({ ...sources, before });
  return filled.kind === 'good' ? filled.value : first.value;
}

/** How long entries are kept, where heads go and who signs is the house's to say, not a command's. */
function auditOf({ audit }: Partial<Pick<Config, 'audit'>>): Record<string, string> {
  // A house that was started by an older version has said nothing.
  if (audit === undefined) return {};
  return {
    'audit.anchors': JSON.stringify(audit.anchors),
    'audit.retentionDays': String(audit.retentionDays),
    'audit.signingKey': 'signingKey' in audit ? audit.signingKey : 'secrets',
  };
}

function voicemailOf({ voicemail }: Partial<Pick<Config, 'voicemail'>>): Record<string, string> {
  if (voicemail === undefined) return {};
  const { masterKey, escrow } = voicemail;
  return { 'voicemail.masterKey': masterKey, 'voicemail.escrow': JSON.stringify(escrow) };
}

/** The store of a house that was started before. The caller closes it. */
export async function siteStore(config: Config, as: StoreRole): Promise<{ store: Store; secrets: Secrets }> {
  const folders = dataFolders(config.data);
  if (as === 'reader' && !existsSync(folders.store)) {
    throw new Refusal(
      `${config.data} holds no Wardline data yet: start it with "wardline up", or give the right --data`,
    );
  }
  const secrets = await houseSecrets(folders);
  return { store: await openStore(folders.store, { as, sealer: secrets.phi }), secrets };
}
