import { join } from 'node:path';
import type { SystemFact } from '../core/audit/index.ts';
import { OwnerLock } from '../storage/index.ts';
import { type KeyOwner, ownerWords } from '../vault/index.ts';
import { attestAll } from './attest-once.ts';
import type { CommonOptions } from './command-line.ts';
import { dataFolders } from './folders.ts';
import { openHouseKeys, voicemailMasterKey } from './house-keys.ts';
import { Refusal } from './report.ts';
import {
  makeKeys,
  retireKeys,
  type RewrapParts,
  rewrapMessages,
  ROTATION_LOCK,
  type Rewrapping,
} from './rewrap-messages.ts';
import { knownDocuments } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { unitOfMailbox } from './unit-of.ts';
import { whoTypes } from './who-types.ts';

export interface Rotated extends Pick<Rewrapping, 'rewrapped' | 'left'> {
  readonly made: number;
  readonly retired: number;
  /** Old keys that nothing is sealed to, but that a house that is up may still use for a moment. */
  readonly waiting: number;
}

/** New keys for one owner, or for all that have one. Rejects with Refusal or PortError. */
export function rotateKeys(options: CommonOptions, of: KeyOwner | null, reason: string): Promise<Rotated> {
  return withKeys(options, async (parts, retire) => {
    const { ring } = parts.keys;
    const newest = ring.keys.filter((key) => ring.newest(key)?.keyId === key.keyId);
    const owners = newest.filter((key) => of === null || ownerWords(key) === ownerWords(of));
    if (owners.length === 0)
      throw new Refusal(
        `${of === null ? 'nobody' : ownerWords(of)} has a key yet: "wardline keys list" shows those that there are`,
      );
    const made = await makeKeys(parts, owners);
    const done = await rewrapMessages(parts);
    const { rewrapped: messages, left } = done;
    await parts.attest([{ fact: 'keysRotated', keys: made.length, messages, left: left.length, reason, by: parts.by }]);
    return { made: made.length, rewrapped: messages, left, ...(await retire(done)) };
  });
}

/** What a rotation that was interrupted has left. */
export function finishRotation(options: CommonOptions): Promise<Rotated> {
  return withKeys(options, async (parts, retire) => {
    const done = await rewrapMessages(parts);
    return { made: 0, rewrapped: done.rewrapped, left: done.left, ...(await retire(done)) };
  });
}

type Retire = (done: Rewrapping) => Promise<Pick<Rotated, 'retired' | 'waiting'>>;

async function withKeys(
  options: CommonOptions,
  work: (parts: RewrapParts, retire: Retire) => Promise<Rotated>,
): Promise<Rotated> {
  const config = siteConfig(options);
  const folders = dataFolders(config.data);
  const { store, secrets } = await siteStore(config, 'guest');
  const lock = OwnerLock.tryTake(join(folders.secrets, ROTATION_LOCK));
  try {
    if (lock === null)
      throw new Refusal('keys are being rotated right now, by a command or by the house: try again in a moment');
    const documents = await knownDocuments(config, store);
    const parts: RewrapParts = {
      keys: openHouseKeys(config, folders.secrets, voicemailMasterKey(config, secrets)),
      folder: folders.messages,
      store,
      unitOf: (mailbox) => (documents === null ? null : unitOfMailbox(documents, mailbox)),
      attest: (facts: readonly SystemFact[]) => attestAll(config, store, secrets, facts),
      by: whoTypes(),
      isClosed: () => false,
    };
    return await work(parts, async (done) => {
      // A house that starts from now on knows the new keys; one that is up may not have looked yet, so it shreds the old ones.
      const alone = OwnerLock.tryTake(folders.store);
      alone?.release();
      const old = parts.keys.ring.keys.filter((key) => parts.keys.ring.newest(key)?.keyId !== key.keyId);
      if (alone === null) return { retired: 0, waiting: old.length };
      const gone = await retireKeys(parts, done, { now: Date.now(), leastAgeMs: 0 });
      return { retired: gone.length, waiting: 0 };
    });
  } finally {
    lock?.release();
    await store.close();
  }
}
