import { existsSync } from 'node:fs';
import { ensureSecrets, type Secrets } from '../vault/index.ts';
import type { dataFolders } from './folders.ts';
import { Refusal } from './report.ts';

/**
 * The secrets of a house; new ones only for a house that has nothing yet. Beside a store new ones would open no message,
 * bear out no audit, and stand in the way of the right ones when these are restored. Rejects with Refusal or PortError.
 */
export async function houseSecrets(folders: ReturnType<typeof dataFolders>): Promise<Secrets> {
  if (existsSync(folders.store) && !existsSync(folders.secrets)) {
    throw new Refusal(
      `${folders.secrets} is missing, and ${folders.store} was sealed with it: restore it from a backup, or move the ` +
        'whole data folder away to begin anew',
    );
  }
  return ensureSecrets(folders.secrets);
}
