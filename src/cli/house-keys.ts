import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import type { SystemFact } from '../core/audit/index.ts';
import {
  type Identities,
  type KeyOwner,
  Keyring,
  ownerWords,
  type Secrets,
  type VoicemailKey,
} from '../vault/index.ts';
import { KEYRING_FOLDER } from '../vault/options.ts';
import { keyAt, keyMeanwhile } from './key-place.ts';

export const houseOwner: KeyOwner = { kind: 'house', id: '' };

type KeyUse = Extract<SystemFact, { fact: 'keyUsed' }>;

/** Whom messages are sealed to, and what opens them. */
export interface HouseKeys {
  readonly ring: Keyring;
  /** age recipients of the privacy officer: everything is sealed to them too. */
  readonly escrow: readonly string[];
  /** age recipients: mailbox, unit, escrow; the house's where a mailbox has no key yet. */
  recipientsFor(mailbox: string | null, unit: string | null): readonly string[];
  /** Opens with the keys of the house; `attest` has each use on record before what it gave is handed on. */
  opening<T>(
    about: Pick<KeyUse, 'messageId' | 'use' | 'by'>,
    attest: (fact: SystemFact) => Promise<unknown>,
    work: (identities: Identities) => Promise<T>,
  ): Promise<T>;
}

/**
 * The keys of a house; its own is made with the first look. `masterKey` null: nobody can get at it, so messages can be taken and
 * not opened. Throws PortError keyUnreadable.
 */
export function openHouseKeys(
  config: Pick<Config, 'voicemail'>,
  secretsFolder: string,
  masterKey: Uint8Array | null,
): HouseKeys {
  const ring = Keyring.open(join(secretsFolder, KEYRING_FOLDER), masterKey);
  if (ring.newest(houseOwner) === undefined && ring.hasMasterKey) ring.make(houseOwner, Date.now());
  const { escrow } = config.voicemail;
  return {
    ring,
    escrow,
    recipientsFor(mailbox, unit) {
      const ofMailbox = mailbox === null ? undefined : ring.newest({ kind: 'mailbox', id: mailbox });
      const ofUnit = unit === null ? undefined : ring.newest({ kind: 'unit', id: unit });
      const keys = [ofMailbox ?? ring.newest(houseOwner), ofUnit].flatMap((key) => key?.recipient ?? []);
      return [...new Set([...keys, ...escrow])];
    },
    async opening(about, attest, work) {
      const used = new Map<string, VoicemailKey>();
      const result = await work((keyIds) => {
        const key = keyIds.map((keyId) => ring.known(keyId)).find((one) => one !== undefined);
        if (key === undefined) return [];
        const identities = ring.identities([key.keyId]);
        if (identities.length > 0) used.set(key.keyId, key);
        return identities;
      });
      for (const key of used.values()) await attest(useOf(key, about));
      return result;
    },
  };
}

export function useOf({ keyId, ...owner }: VoicemailKey, about: Pick<KeyUse, 'messageId' | 'use' | 'by'>): KeyUse {
  return { fact: 'keyUsed', key: ownerWords(owner), keyId, ...about };
}

/** The same in a house that is up. Rejects as `keyAt` throws. */
export function masterKeyMeanwhile(
  { voicemail: { masterKey } }: Pick<Config, 'voicemail'>,
  secrets: Pick<Secrets, 'voicemailMasterKey'>,
): Promise<Uint8Array> {
  return keyMeanwhile('voicemail.masterKey', masterKey, secrets.voicemailMasterKey);
}

/** From where `voicemail.masterKey` says. Throws as `keyAt`. */
export function voicemailMasterKey(
  { voicemail: { masterKey } }: Pick<Config, 'voicemail'>,
  secrets: Pick<Secrets, 'voicemailMasterKey'>,
): Uint8Array {
  return keyAt('voicemail.masterKey', masterKey, secrets.voicemailMasterKey);
}
