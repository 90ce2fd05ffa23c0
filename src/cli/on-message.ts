import type { Config } from '../config/index.ts';
import type { Message, Store } from '../storage/index.ts';
import { attestOnce } from './attest-once.ts';
import type { CommonOptions } from './command-line.ts';
import { dataFolders } from './folders.ts';
import { type HouseKeys, openHouseKeys, voicemailMasterKey } from './house-keys.ts';
import { Refusal } from './report.ts';
import { siteConfig, siteStore } from './site.ts';
import { whoTypes } from './who-types.ts';

/** What a command does something to a message with. */
export interface Hands {
  readonly config: Config;
  readonly store: Store;
  /** Throws Refusal or PortError when the keys cannot be opened. */
  readonly openKeys: () => HouseKeys;
  readonly attest: (fact: Parameters<typeof attestOnce>[3]) => Promise<void>;
  /** Operating-system user. */
  readonly by: string;
}

/** Finds a message that can still be heard, and does `work` to it. Rejects with Refusal when there is none. */
export async function onMessage<T>(
  messageId: string,
  options: CommonOptions,
  work: (message: Message, hands: Hands) => Promise<T>,
): Promise<T> {
  const config = siteConfig(options);
  const { store, secrets } = await siteStore(config, 'guest');
  try {
    const message = await store.messages.find(messageId);
    if (message === null || message.shreddedAt !== null) {
      throw new Refusal(`there is no message ${messageId}: "wardline voicemail list" shows those that there are`);
    }
    const attest: Hands['attest'] = (fact) => attestOnce(config, store, secrets, fact);
    const openKeys = (): HouseKeys =>
      openHouseKeys(config, dataFolders(config.data).secrets, voicemailMasterKey(config, secrets));
    return await work(message, { config, store, openKeys, attest, by: whoTypes() });
  } finally {
    await store.close();
  }
}
