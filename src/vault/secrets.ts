import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PortError } from '../engine/ports.ts';
import { recipientOf } from './age-recipient.ts';
import { phiSealer, type PhiSealer } from './phi-sealer.ts';

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
  /** age identity (AGE-SECRET-KEY-1…) that opens voicemail, and its recipient (age1…). */
  readonly voicemailIdentity: string;
  readonly voicemailRecipient: string;
  /** Who can open messages of this mailbox. */
  sealRecipients(mailbox: string): readonly string[];
}

const KEY_FILES = {
  controlSecret: 'control.secret',
  eventSocketSecret: 'event-socket.secret',
  digestNonceKey: 'digest-nonce.key',
  auditHeadKey: 'audit-head.key',
  auditSigningSeed: 'audit-sign.key',
  phiKey: 'phi.key',
} as const;
/** Houses that are older than it have none; it is made beside the others. */
const LATER_FILES = [KEY_FILES.auditSigningSeed];
const IDENTITY_FILE = 'voicemail.identity';
const KEY_BYTES = 32;
const KEY_CHARACTERS = 43;
const MAX_FILE_BYTES = 4096;

/**
 * Reads the secrets in `dir`, and makes them first if there is no such folder. Rejects with PortError keyUnreadable that
 * names the file, the reason and the remedy: missing, damaged, not readable, or readable by others.
 */
export async function ensureSecrets(dir: string): Promise<Secrets> {
  if (!exists(dir)) await make(dir);
  return read(dir);
}

/** All of them in a folder that gets its name at the end: a kill leaves either every secret or none. */
async function make(dir: string): Promise<void> {
  const draft = `${dir}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    for (const file of Object.values(KEY_FILES)) write(join(draft, file), randomBytes(KEY_BYTES).toString('base64url'));
    const { generateX25519Identity } = await import('age-encryption');
    write(join(draft, IDENTITY_FILE), await generateX25519Identity());
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
  const identityPath = join(dir, IDENTITY_FILE);
  const voicemailIdentity = readText(identityPath);
  const voicemailRecipient = recipientIn(identityPath, voicemailIdentity);
  for (const file of LATER_FILES) addMissing(join(dir, file));
  return {
    controlSecret: key('controlSecret').toString('base64url'),
    eventSocketSecret: key('eventSocketSecret').toString('base64url'),
    digestNonceKey: key('digestNonceKey'),
    auditHeadKey: key('auditHeadKey'),
    auditSigningSeed: key('auditSigningSeed'),
    phi: phiSealer(key('phiKey')),
    voicemailIdentity,
    voicemailRecipient,
    sealRecipients: () => [voicemailRecipient],
  };
}

function recipientIn(path: string, identity: string): string {
  try {
    return recipientOf(identity);
  } catch (cause) {
    throw unreadable(path, 'is not an age identity', RESTORE, cause);
  }
}

/** Whole or not at all, and never over one that is there: two processes may start at once. */
function addMissing(path: string): void {
  if (exists(path)) return;
  const draft = `${path}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    write(draft, randomBytes(KEY_BYTES).toString('base64url'));
    linkSync(draft, path);
    sync(dirname(path));
  } catch (cause) {
    if (!exists(path)) {
      throw unreadable(path, `cannot be made (${codeOf(cause)})`, 'check who owns the folder, and the disk', cause);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

const RESTORE = 'restore the whole folder from a backup; what was sealed with a lost key cannot be opened again';

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

function readText(path: string): string {
  refuseOpenToOthers(path, false);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw unreadable(path, `cannot be read (${codeOf(cause)})`, 'start Wardline as the user who owns it', cause);
  }
}

function refuseOpenToOthers(path: string, wantFolder: boolean): void {
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(path);
  } catch (cause) {
    const why = codeOf(cause) === 'ENOENT' ? 'is missing' : `cannot be read (${codeOf(cause)})`;
    throw unreadable(path, why, RESTORE, cause);
  }
  if (wantFolder ? !stat.isDirectory() : !stat.isFile() || stat.size > MAX_FILE_BYTES) {
    throw unreadable(path, wantFolder ? 'is not a folder' : 'is not a key file', RESTORE, undefined);
  }
  if ((stat.mode & 0o077) !== 0) {
    const mode = wantFolder ? '700' : '600';
    throw unreadable(path, 'can be read by other users', `run: chmod ${mode} ${path}`, undefined);
  }
}

function write(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, `${text}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function sync(dir: string): void {
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function unreadable(path: string, why: string, remedy: string, cause: unknown): PortError {
  return new PortError('keyUnreadable', { cause, says: `${path} ${why}; ${remedy}` });
}

function codeOf(cause: unknown): string {
  return String((cause as { code?: unknown }).code ?? cause);
}
