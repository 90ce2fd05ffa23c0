import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { newIdentity, recipientOf } from './age-recipient.ts';
import { keyIdOf } from './key-slot.ts';
import { phiSealer, type PhiSealer } from './phi-sealer.ts';
import {
  readText,
  refuseOpenToOthers,
  remove,
  removeGoing,
  replace,
  RESTORE,
  unreadable,
  writeOnce,
} from './private-files.ts';

/** Whose key it is. The one of the house is for what belongs to nobody else yet; its id is ''. */
export interface KeyOwner {
  readonly kind: 'house' | 'mailbox' | 'unit';
  readonly id: string;
}

export interface VoicemailKey extends KeyOwner {
  /** 1, 2, …; messages are sealed to the newest. */
  readonly generation: number;
  /** age1… */
  readonly recipient: string;
  readonly keyId: string;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
}

interface KeptKey extends VoicemailKey {
  /** Which master key its private half is sealed with: a word that says nothing about it. */
  readonly master: string;
  readonly sealed: string;
}

const OTHER_MASTER = 'see to it that voicemail.masterKey leads to the right one';
const FILE = /^(house|mailbox|unit)\.([^.]*)\.(\d{1,6})\.key$/;

/**
 * The keys that messages are sealed to, one file each: public halves in clear, private ones sealed with the master key. So
 * messages can be taken while nobody can get at the master key; they just cannot be opened.
 */
export class Keyring {
  readonly #folder: string;
  #master: PhiSealer | null;
  /** By file. */
  #files = new Map<string, KeptKey>();
  #byId = new Map<string, KeptKey>();
  #newest = new Map<string, KeptKey>();

  private constructor(folder: string, master: PhiSealer | null) {
    this.#folder = folder;
    this.#master = master;
  }

  /** `masterKey`: 32 bytes, null when it cannot be had. Throws PortError keyUnreadable. */
  static open(folder: string, masterKey: Uint8Array | null): Keyring {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    refuseOpenToOthers(folder, true);
    const ring = new Keyring(folder, masterKey === null ? null : phiSealer(masterKey));
    ring.refresh();
    if (ring.hasMasterKey) removeGoing(folder);
    return ring;
  }

  /** The master key can be had at last; 32 bytes. */
  unlock(masterKey: Uint8Array): void {
    this.#master = phiSealer(masterKey);
  }

  get hasMasterKey(): boolean {
    return this.#master !== null;
  }

  /** By owner, the oldest of each first. */
  get keys(): readonly VoicemailKey[] {
    return [...this.#files.values()].toSorted(byOwner);
  }

  /** Another process may have made keys, or retired some. Throws PortError keyUnreadable. */
  refresh(): void {
    const names = readdirSync(this.#folder).filter((name) => FILE.test(name));
    if (names.length === this.#files.size && names.every((name) => this.#files.has(name))) return;
    this.#keep(new Map(names.map((name) => [name, this.#files.get(name) ?? this.#read(name)])));
  }

  /** Whom to seal to; undefined while there is no such key. */
  newest(owner: KeyOwner): VoicemailKey | undefined {
    return this.#newest.get(ownerWords(owner));
  }

  known(keyId: string): VoicemailKey | undefined {
    return this.#byId.get(keyId);
  }

  /** Makes the next key of an owner. Throws PortError keyUnreadable, also when the master key cannot be had. */
  make(owner: KeyOwner, now: number): VoicemailKey {
    const master = this.#masterFor('no key can be made');
    if (this.foreign().length > 0) {
      throw unreadable(this.#folder, 'belongs to another master key', OTHER_MASTER, undefined);
    }
    const generation = (this.newest(owner)?.generation ?? 0) + 1;
    const { identity, recipient } = newIdentity();
    const kept = { recipient, madeAt: now, master: wordOf(master), sealed: master.seal(identity) };
    const file = fileOf({ ...owner, generation });
    writeOnce(join(this.#folder, file), JSON.stringify(kept));
    // Where another process was first, its key is the one.
    const made = this.#read(file);
    this.#add(file, made);
    return made;
  }

  /** Private halves of those keys that are here, in the order given. Empty without the master key. */
  identities(keyIds: readonly string[]): readonly string[] {
    const master = this.#master;
    if (master === null) return [];
    return keyIds.flatMap((keyId) => {
      const key = this.#byId.get(keyId);
      const identity = key === undefined ? null : master.open(key.sealed);
      return identity === null || recipientOf(identity) !== key?.recipient ? [] : [identity];
    });
  }

  /** Keys that this master key does not open: a change of it was interrupted, or it is the wrong one. */
  foreign(): readonly VoicemailKey[] {
    const word = this.#master === null ? null : wordOf(this.#master);
    return [...this.#files.values()].filter(({ master }) => master !== word);
  }

  /**
   * Seals every private half with another master key, file by file: whatever dies on the way, the next call does the rest.
   * Returns how many it did. Throws PortError keyUnreadable.
   */
  changeMaster(masterKey: Uint8Array): number {
    const [old, next] = [this.#masterFor('it cannot be changed'), phiSealer(masterKey)];
    const left = [...this.#files].filter(([, { master }]) => master !== wordOf(next));
    for (const [file, { recipient, madeAt, sealed }] of left) {
      const path = join(this.#folder, file);
      const identity = old.open(sealed);
      if (identity === null) throw unreadable(path, 'is sealed with a third master key', RESTORE, undefined);
      replace(path, JSON.stringify({ recipient, madeAt, master: wordOf(next), sealed: next.seal(identity) }));
    }
    this.#keep(new Map([...this.#files.keys()].map((file) => [file, this.#read(file)])));
    return left.length;
  }

  /** Writes over a private half and removes it: what is still sealed to this key alone can never be opened again. */
  shred(key: VoicemailKey): void {
    const file = fileOf(key);
    remove(join(this.#folder, file));
    this.#keep(new Map([...this.#files].filter(([name]) => name !== file)));
  }

  #keep(files: Map<string, KeptKey>): void {
    this.#files = new Map();
    this.#byId = new Map();
    this.#newest = new Map();
    for (const [file, key] of files) this.#add(file, key);
  }

  #add(file: string, key: KeptKey): void {
    this.#files.set(file, key);
    this.#byId.set(key.keyId, key);
    const before = this.#newest.get(ownerWords(key));
    if (before === undefined || before.generation < key.generation) this.#newest.set(ownerWords(key), key);
  }

  #masterFor(why: string): PhiSealer {
    if (this.#master !== null) return this.#master;
    throw unreadable(this.#folder, `cannot be opened without its master key, so ${why}`, OTHER_MASTER, undefined);
  }

  #read(name: string): KeptKey {
    const path = join(this.#folder, name);
    const [, kind, id, generation] = FILE.exec(name) ?? [];
    const said = parsed(readText(path));
    if (said === null) throw unreadable(path, 'is damaged', RESTORE, undefined);
    return {
      ...said,
      kind: kind as KeyOwner['kind'],
      id: decodeURIComponent(id ?? ''),
      generation: Number(generation),
      keyId: keyIdOf(said.recipient),
    };
  }
}

/** "mailbox 3101", "house" */
export function ownerWords({ kind, id }: KeyOwner): string {
  return kind === 'house' ? 'house' : `${kind} ${id}`;
}

function fileOf({ kind, id, generation }: Pick<VoicemailKey, 'kind' | 'id' | 'generation'>): string {
  // A dot separates; an id may have one, and a name of a unit anything.
  return `${kind}.${encodeURIComponent(id).replaceAll('.', '%2E')}.${generation}.key`;
}

function byOwner(a: VoicemailKey, b: VoicemailKey): number {
  const [one, other] = [ownerWords(a), ownerWords(b)];
  return one === other ? a.generation - b.generation : one < other ? -1 : 1;
}

function wordOf(master: PhiSealer): string {
  return master.blind('voicemail master key');
}

type KeptFile = Pick<KeptKey, 'recipient' | 'madeAt' | 'master' | 'sealed'>;

// By hand: the media threads load this folder, and a library for schemas would cost each of them 5 MB.
function parsed(text: string): KeptFile | null {
  try {
    const { recipient, madeAt, master, sealed, ...more } = JSON.parse(text) as Record<string, unknown>;
    const isWhole = [recipient, master, sealed].every((word) => typeof word === 'string') && Number.isInteger(madeAt);
    if (!isWhole || Object.keys(more).length > 0) return null;
    return { recipient, madeAt, master, sealed } as KeptFile;
  } catch {
    return null;
  }
}
