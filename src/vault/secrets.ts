import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KEYRING_FOLDER } from './folders.ts';
import { phiSealer, type PhiSealer } from './phi-sealer.ts';
import {
  codeOf,
  exists,
  readText,
  refuseOpenToOthers,
  RESTORE,
  sync,
  unreadable,
  write,
  writeOnce,
} from './private-files.ts';

/** Everything this house keeps secret. Made once, at the first start; never overwritten. */
export interface Secrets {
  /** Shared with sipd; 43 characters of base64url (256 bits), as all secrets that are text. */
  readonly controlSecret: string;
  /** Shared with mediad. */
  readonly eventSocketSecret: string;
  /** 32 bytes: keys the nonces of SIP digest (RFC 7616). */
  readonly digestNonceKey: Uint8Array;
  /** 32 bytes: keys the certified head of the audit chain. */
  readonly auditHeadKey: Uint8Array;
  /** 32 bytes: the Ed25519 seed that signs checkpoints and exports of the audit. */
  readonly auditSigningSeed: Uint8Array;
  /** Seals names and numbers in the audit and the store. */
  readonly phi: PhiSealer;
  /** 32 bytes: seals the private keys of voicemail, where the configuration names no other. */
  readonly voicemailMasterKey: Uint8Array;
}

const KEY_FILES = {
  controlSecret: 'control.secret',
  eventSocketSecret: 'event-socket.secret',
  digestNonceKey: 'digest-nonce.key',
  auditHeadKey: 'audit-head.key',
  auditSigningSeed: 'audit-sign.key',
  phiKey: 'phi.key',
  voicemailMasterKey: 'voicemail-master.key',
} as const;
const KEY_BYTES = 32;
const KEY_CHARACTERS = 43;

/**
 * Reads the secrets in `dir`, and makes them first if there is no such folder. Rejects with PortError keyUnreadable that
 * names the file, the reason and the remedy: missing, damaged, not readable, or readable by others.
 */
export async function ensureSecrets(dir: string): Promise<Secrets> {
  if (!exists(dir)) make(dir);
  return read(dir);
}

/** All of them in a folder that gets its name at the end: a kill leaves either every secret or none. */
function make(dir: string): void {
  const draft = `${dir}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    for (const file of Object.values(KEY_FILES)) write(join(draft, file), randomBytes(KEY_BYTES).toString('base64url'));
    sync(draft);
    renameSync(draft, dir);
    sync(dirname(dir));
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    // Another process was first; its secrets are the ones.
    if (exists(dir)) return;
    throw unreadable(
      dir,
      `cannot be made (${codeOf(cause)})`,
      'check who owns the data folder and that the disk has space',
      cause,
    );
  }
}

function read(dir: string): Secrets {
  refuseOpenToOthers(dir, true);
  const key = (name: keyof typeof KEY_FILES) => readKey(join(dir, KEY_FILES[name]));
  // First those that every house has: a folder that cannot be read is told of as such.
  const controlSecret = key('controlSecret').toString('base64url');
  for (const file of laterFiles(dir)) writeOnce(join(dir, file), randomBytes(KEY_BYTES).toString('base64url'));
  return {
    controlSecret,
    eventSocketSecret: key('eventSocketSecret').toString('base64url'),
    digestNonceKey: key('digestNonceKey'),
    auditHeadKey: key('auditHeadKey'),
    auditSigningSeed: key('auditSigningSeed'),
    phi: phiSealer(key('phiKey')),
    voicemailMasterKey: key('voicemailMasterKey'),
  };
}

/** Houses that are older than these have none; they are made beside the others. */
function laterFiles(dir: string): readonly string[] {
  // One that has sealed keys already is lost: another would open none of them.
  const master = exists(join(dir, KEYRING_FOLDER)) ? [] : [KEY_FILES.voicemailMasterKey];
  return [KEY_FILES.auditSigningSeed, ...master];
}

/** 32 bytes as base64url, in a file that nobody else may read. Throws PortError keyUnreadable. */
export function readKey(path: string): Buffer {
  const key = keyFrom(readText(path));
  if (key === null) throw unreadable(path, 'is damaged', RESTORE, undefined);
  return key;
}

/** null unless the text is 32 bytes as base64url. */
export function keyFrom(text: string): Buffer | null {
  const key = Buffer.from(text, 'base64url');
  // Decoding skips what it does not know, so the text is compared with what the key would be written as.
  return text.length === KEY_CHARACTERS && key.toString('base64url') === text ? key : null;
}
