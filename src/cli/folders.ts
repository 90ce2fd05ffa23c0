import { join } from 'node:path';
import { STORE_FILE } from '../storage/options.ts';
import { SECRETS_FOLDER } from '../vault/options.ts';

/** What lies where inside the data folder. */
export function dataFolders(data: string) {
  const secrets = join(data, SECRETS_FOLDER);
  return {
    store: join(data, STORE_FILE),
    secrets,
    examplePhones: join(secrets, 'example-phones.json'),
    /** Sealed voicemail. */
    messages: join(data, 'voicemail'),
    /** What mediad has spoken already. */
    speech: join(data, 'speech'),
    /** Process numbers, ports and options of what runs now. */
    run: join(data, 'run'),
    log: join(data, 'log'),
  };
}
