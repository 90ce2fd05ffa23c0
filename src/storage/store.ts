import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';
import { SqliteBindings, type BindingRow } from './bindings.ts';
import { SqliteCalls } from './calls.ts';
import { SqliteChain } from './chain.ts';
import { SqliteDatabase } from './database.ts';
import { SqliteDocumentVersions } from './documents.ts';
import { SqliteMessages } from './messages.ts';
import { migrate, requireCurrentSchema } from './migrate.ts';
import { GUEST_BUSY_MS, OWNER_BUSY_MS } from './options.ts';
import { OwnerLock } from './owner-lock.ts';
import { SqlitePhones } from './phones.ts';
import { noKey, type Sealer } from './sealer.ts';
import { storeError } from './store-error.ts';
import { ThreadWriter } from './writer-thread.ts';
import { DirectWriter, type StoreWriter } from './writer.ts';

/**
 * owner: the running Wardline, one per store; it migrates and writes in a thread of its own.
 * guest: a command that changes something small, also while an owner runs.
 * reader: changes nothing.
 */
export type StoreRole = 'owner' | 'guest' | 'reader';

export interface StoreOptions {
  /** owner, unless said otherwise. */
  readonly as?: StoreRole;
  /** Opens and seals who called; without it callers read "[sealed]" and calls cannot be written. */
  readonly sealer?: Sealer;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Opens the store at `path` and brings its schema up to date. Rejects with PortError: storeInUse (a second owner),
 * storeVersion (written by a newer Wardline, or older and not ours to migrate), storeDamaged, storeUnavailable.
 */
export async function openStore(path: string, options: StoreOptions = {}): Promise<Store> {
  const role = options.as ?? 'owner';
  const lock = await prepare(path, role);
  try {
    return new Store(path, role, options, lock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** The schema is current when this resolves. Gives the lock that an owner keeps. */
async function prepare(path: string, role: StoreRole): Promise<OwnerLock | null> {
  if (role === 'reader') return null;
  const lock = role === 'owner' ? OwnerLock.take(path) : needsOwner(path) ? OwnerLock.tryTake(path) : null;
  try {
    if (lock !== null) await migrateFile(path);
    if (role === 'owner') return lock;
    lock?.release();
    return null;
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** A command may come before the first start; then it makes the store, if nobody else is just doing so. */
function needsOwner(path: string): boolean {
  return !existsSync(path) || statSync(path).size === 0;
}

async function migrateFile(path: string): Promise<void> {
  makePrivate(path);
  const db = new SqliteDatabase(path, { readonly: false, busyMs: GUEST_BUSY_MS });
  try {
    await migrate(db);
  } finally {
    db.close();
  }
}

/** SQLite gives its companion files (-wal, -shm) the mode of the store itself, so the mode comes first. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  } catch (cause) {
    throw storeError(cause, path);
  }
}

export class Store {
  readonly path: string;
  readonly chain: SqliteChain;
  readonly calls: SqliteCalls;
  readonly phones: SqlitePhones;
  readonly documents: SqliteDocumentVersions;
  readonly messages: SqliteMessages;
  readonly #db: SqliteDatabase;
  readonly #writer: StoreWriter | null;
  readonly #lock: OwnerLock | null;
  readonly #now: () => number;

  constructor(path: string, role: StoreRole, options: StoreOptions, lock: OwnerLock | null) {
    this.path = path;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
    const busyMs = role === 'owner' ? OWNER_BUSY_MS : GUEST_BUSY_MS;
    this.#db = new SqliteDatabase(path, { readonly: role === 'reader', busyMs });
    try {
      requireCurrentSchema(this.#db);
    } catch (error) {
      this.#db.close();
      throw error;
    }
    this.#writer = writerFor(role, this.#db);
    this.chain = new SqliteChain(this.#db, this.#writer);
    this.calls = new SqliteCalls(this.#db, this.#writer, options.sealer ?? noKey);
    this.phones = new SqlitePhones(this.#db);
    this.documents = new SqliteDocumentVersions(this.#db);
    this.messages = new SqliteMessages(this.#db);
  }

  /** Registrations, in the shape that `telephony` keeps them. */
  bindings<Binding extends BindingRow>(): SqliteBindings<Binding> {
    return new SqliteBindings<Binding>(this.#db, this.#writer, this.#now);
  }

  /** Writes what is still waiting and gives the store free. May be called twice. */
  async close(): Promise<void> {
    await this.#writer?.close();
    this.#db.close();
    this.#lock?.release();
  }
}

function writerFor(role: StoreRole, db: SqliteDatabase): StoreWriter | null {
  if (role === 'reader') return null;
  return role === 'owner' ? new ThreadWriter(db.path) : new DirectWriter(db);
}
