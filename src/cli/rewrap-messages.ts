import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemFact } from '../core/audit/index.ts';
import type { Store } from '../storage/index.ts';
import { keyIdOf, keyIdsOf, type KeyOwner, ownerWords, rewrapSealed, type VoicemailKey } from '../vault/index.ts';
import { type HouseKeys, useOf } from './house-keys.ts';

export interface RewrapParts {
  readonly keys: HouseKeys;
  /** Folder of the sealed files: messages, greetings, and what is being recorded. */
  readonly folder: string;
  readonly store: Pick<Store, 'messages' | 'greetings'>;
  /** null: it belongs to none. */
  readonly unitOf: (mailbox: string) => string | null;
  /** Rejects when they cannot be put on record; then nothing is done. */
  readonly attest: (facts: readonly SystemFact[]) => Promise<unknown>;
  readonly by: string;
  readonly isClosed: () => boolean;
}

export interface Rewrapping {
  readonly rewrapped: number;
  readonly asTheyWere: number;
  /** Files that still have old keys, and why. */
  readonly left: readonly { readonly file: string; readonly why: string }[];
  /** Keys that any file is sealed to. */
  readonly inUse: ReadonlySet<string>;
}

interface Work {
  readonly file: string;
  readonly recipients: readonly string[];
  readonly keyIds: readonly string[];
}

const BATCH = 64;

/** Inside the folder of the secrets: one process at a time wraps anew. */
export const ROTATION_LOCK = 'rotation';

/**
 * Brings every sealed file in line with the keys that count now, without touching its sound. Which file is done stands in the
 * file, so this may be interrupted anywhere and called again. Each use of a key is on record before.
 */
export async function rewrapMessages(parts: RewrapParts): Promise<Rewrapping> {
  const { keys, folder, isClosed } = parts;
  const mailboxOf = await mailboxes(parts.store);
  const left: { file: string; why: string }[] = [];
  const inUse = new Set<string>();
  const files = (await namesIn(folder)).filter((name) => /\.sealed(\.part)?$/.test(name));
  let work: Work[] = [];
  let rewrapped = 0;
  let asTheyWere = 0;

  const flush = async (): Promise<void> => {
    const batch = work;
    work = [];
    await parts.attest(batch.flatMap((one) => useForRotation(one, parts)));
    for (const { file, recipients, keyIds } of batch) {
      const done = await rewrapSealed(join(folder, file), (ids) => keys.ring.identities(ids), recipients).catch(whyNot);
      if (done.kind === 'rewrapped') rewrapped += 1;
      else if (done.kind === 'asItWas') asTheyWere += 1;
      else if (done.reason !== 'gone') {
        left.push({ file, why: done.reason });
        for (const keyId of keyIds) inUse.add(keyId);
      }
    }
  };

  for (const file of files) {
    if (isClosed()) throw new Error('interrupted');
    const keyIds = await keyIdsOf(join(folder, file)).catch((error: unknown) => whyNot(error).reason);
    if (typeof keyIds === 'string') {
      // One that has no header yet is being made, with the keys that count now.
      if (keyIds !== 'gone' && keyIds !== 'truncated') left.push({ file, why: keyIds });
      continue;
    }
    const recipients = recipientsOf(file, keyIds, mailboxOf, parts);
    const wanted = recipients.map(keyIdOf);
    for (const keyId of wanted) inUse.add(keyId);
    if (wanted.toSorted().join() === keyIds.toSorted().join()) asTheyWere += 1;
    else work.push({ file, recipients, keyIds });
    if (work.length === BATCH) await flush();
  }
  await flush();
  return { rewrapped, asTheyWere, left, inUse };
}

/**
 * Shreds the keys that have successors, are sealed to by no file, and are older than `leastAgeMs`: a process that does not know the
 * successor yet may still be sealing to them. Resolves with those that are gone.
 */
export async function retireKeys(
  { keys, attest, by }: Pick<RewrapParts, 'keys' | 'attest' | 'by'>,
  { left, inUse }: Pick<Rewrapping, 'left' | 'inUse'>,
  fence: { readonly now: number; readonly leastAgeMs: number },
): Promise<readonly VoicemailKey[]> {
  // A file that could not be looked into may need any of them.
  if (left.length > 0) return [];
  const { ring } = keys;
  const old = ring.keys.filter((key) => {
    const next = ring.newest(key);
    return next !== undefined && next.keyId !== key.keyId && fence.now - next.madeAt >= fence.leastAgeMs;
  });
  const gone = old.filter(({ keyId }) => !inUse.has(keyId));
  if (gone.length === 0) return [];
  await attest(gone.map((key) => ({ fact: 'keyShredded', key: ownerWords(key), keyId: key.keyId, by })));
  for (const key of gone) ring.shred(key);
  return gone;
}

/** Makes the next key of each. Yields in between: each is written and synced. */
export async function makeKeys(
  { keys, attest, by }: Pick<RewrapParts, 'keys' | 'attest' | 'by'>,
  owners: readonly KeyOwner[],
): Promise<readonly VoicemailKey[]> {
  const made: VoicemailKey[] = [];
  for (const owner of owners) {
    await new Promise((resolve) => setImmediate(resolve));
    made.push(keys.ring.make(owner, Date.now()));
  }
  if (made.length > 0) {
    await attest(made.map((key) => ({ fact: 'keyMade', key: ownerWords(key), keyId: key.keyId, by })));
  }
  return made;
}

/** Those of its mailbox; of a file in no list, the newest of those that it was sealed to. */
function recipientsOf(
  file: string,
  keyIds: readonly string[],
  mailboxOf: ReadonlyMap<string, string>,
  { keys, unitOf }: RewrapParts,
): readonly string[] {
  const mailbox = mailboxOf.get(file.replace(/(\.text)?\.sealed(\.part)?$/, ''));
  if (mailbox !== undefined) return keys.recipientsFor(mailbox, unitOf(mailbox));
  const owners = keyIds.flatMap((keyId) => keys.ring.known(keyId) ?? []);
  const newest = owners.flatMap((owner) => keys.ring.newest(owner)?.recipient ?? []);
  return [...new Set([...newest, ...keys.escrow])];
}

async function mailboxes({ messages, greetings }: RewrapParts['store']): Promise<ReadonlyMap<string, string>> {
  const listed = (await messages.list()).map(({ messageId, mailbox }) => [messageId, mailbox] as const);
  return new Map([...listed, ...greetings.owners()]);
}

function useForRotation({ file, keyIds }: Work, { keys, by }: RewrapParts): readonly SystemFact[] {
  const key = keyIds.map((keyId) => keys.ring.known(keyId)).find((one) => one !== undefined);
  const messageId = file.replace(/(\.text)?\.sealed(\.part)?$/, '');
  return key === undefined ? [] : [useOf(key, { messageId, use: 'rotated', by })];
}

/** A house that was never up has no such folder yet. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function whyNot(error: unknown): { readonly kind: 'refused'; readonly reason: string } {
  const code = String((error as { code?: unknown }).code ?? error);
  return { kind: 'refused', reason: code === 'ENOENT' ? 'gone' : code };
}
