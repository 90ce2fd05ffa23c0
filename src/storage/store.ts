import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';
import type { AppendResult, ChainHead, ChainRow } from '../core/audit/index.ts';
import { SqliteAuditTerms } from './audit-terms.ts';
import { SqliteBindings, type BindingRow } from './bindings.ts';
import { SqliteCalendars } from './calendars.ts';
import { SqliteCalls } from './calls.ts';
import { SqliteChain } from './chain.ts';
import { SqliteChases } from './chases.ts';
import { SqliteDatabase } from './database.ts';
import { SqliteDocumentVersions } from './documents.ts';
import { SqliteFeeds } from './feeds.ts';
import { SqliteGreetings } from './greetings.ts';
import { type MessageRow, SqliteMessages } from './messages.ts';
import { SqliteTranscripts } from './transcripts.ts';
import { SqliteNotices } from './notices.ts';
import { SqliteOverrides } from './overrides.ts';
import type { Notice } from '../core/voicemail/index.ts';
import { PortError } from '../engine/ports.ts';
import { isBehind, migrate, requireCurrentSchema } from './migrate.ts';
import { GUEST_BUSY_MS, OWNER_BUSY_MS } from './options.ts';
import { OwnerLock } from './owner-lock.ts';
import { SqlitePhones } from './phones.ts';
import { SqlitePins } from './pins.ts';
import { SqlitePlans } from './plans.ts';
import { noKey, type Sealer } from './sealer.ts';
import { SqliteServerOrders } from './server-orders.ts';
import { settleCalls } from './settle-calls.ts';
import { storeError } from './store-error.ts';
import { ThreadWriter } from './writer-thread.ts';
import { DirectWriter, type StoreWriter } from './writer.ts';

/**
 * owner: the running Wardline, one per store; it migrates and writes in a thread of its own.
 * guest: a command that changes something small, also while an owner runs.
 * reader: changes nothing.
 * Whoever comes first after an upgrade brings an older schema up to date, unless an owner is running.
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
 * storeVersion (written by a newer Wardline, or by an older one that still runs), storeDamaged, storeUnavailable.
 */
export async function openStore(path: string, options: StoreOptions = {}): Promise<Store> {
  const role = options.as ?? 'owner';
  const lock = await prepare(path, role);
  try {
    const db = new SqliteDatabase(path, {
      readonly: role === 'reader',
      busyMs: GUEST_BUSY_MS,
    });
    try {
      requireCurrentSchema(db);
      const writer = role === 'reader' ? null : role === 'owner' ? await ThreadWriter.open(path) : new DirectWriter(db);
      return new Store(db, writer, lock, options);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** The schema is current when this resolves. Gives the lock that an owner keeps. */
async function prepare(path: string, role: StoreRole): Promise<OwnerLock | null> {
  const lock = role === 'owner' ? OwnerLock.take(path) : lockToMigrate(path, role);
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

/**
 * A command may come before the first start, or before the first one after an upgrade; then it makes or migrates the
 * store as an owner would. null: there is nothing to do, or an owner is running and `requireCurrentSchema` says so.
 */
function lockToMigrate(path: string, role: 'guest' | 'reader'): OwnerLock | null {
  if (!existsSync(path) || statSync(path).size === 0) return role === 'guest' ? OwnerLock.tryTake(path) : null;
  const db = new SqliteDatabase(path, { readonly: true, busyMs: GUEST_BUSY_MS });
  try {
    return isBehind(db) ? OwnerLock.tryTake(path) : null;
  } catch (error) {
    // Whoever may only read the folder cannot migrate either, and is told whom to ask.
    if (error instanceof PortError && error.code === 'storeUnavailable') return null;
    throw error;
  } finally {
    db.close();
  }
}

async function migrateFile(path: string): Promise<void> {
  makePrivate(path);
  const db = new SqliteDatabase(path, { readonly: false, busyMs: GUEST_BUSY_MS });
  try {
    await migrate(db);
    settleCalls(db);
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
  readonly auditTerms: SqliteAuditTerms;
  readonly calls: SqliteCalls;
  readonly phones: SqlitePhones;
  readonly documents: SqliteDocumentVersions;
  readonly pins: SqlitePins;
  readonly plans: SqlitePlans;
  readonly messages: SqliteMessages;
  readonly chases: SqliteChases;
  readonly greetings: SqliteGreetings;
  readonly notices: SqliteNotices;
  readonly transcripts: SqliteTranscripts;
  readonly overrides: SqliteOverrides;
  readonly feeds: SqliteFeeds;
  readonly servers: SqliteServerOrders;
  readonly calendars: SqliteCalendars;
  readonly #db: SqliteDatabase;
  readonly #writer: StoreWriter | null;
  readonly #lock: OwnerLock | null;
  readonly #now: () => number;

  constructor(db: SqliteDatabase, writer: StoreWriter | null, lock: OwnerLock | null, options: StoreOptions) {
    this.path = db.path;
    this.#db = db;
    this.#writer = writer;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
    this.chain = new SqliteChain(db, writer);
    this.auditTerms = new SqliteAuditTerms(db);
    this.calls = new SqliteCalls(db, writer, options.sealer ?? noKey);
    this.phones = new SqlitePhones(db);
    this.documents = new SqliteDocumentVersions(db, writer);
    this.pins = new SqlitePins(db);
    this.plans = new SqlitePlans(db, writer);
    this.messages = new SqliteMessages(db, options.sealer ?? noKey);
    this.chases = new SqliteChases(db);
    this.greetings = new SqliteGreetings(db);
    this.notices = new SqliteNotices(db);
    this.transcripts = new SqliteTranscripts(db);
    this.overrides = new SqliteOverrides(db);
    this.feeds = new SqliteFeeds(db);
    this.servers = new SqliteServerOrders(db);
    this.calendars = new SqliteCalendars(db);
  }

  /** A message and what is to be told of it: both or none. */
  async saveMessage(message: MessageRow, notices: readonly Notice[]): Promise<void> {
    this.#db.immediately(() => {
      this.messages.put(message);
      this.notices.add(notices);
    });
  }

  /**
   * For a command: entries of the audit, and the change they tell of, in one commit. null, and nothing is written, when
   * the change is not `isCurrent` any more.
   */
  appendWith(
    after: ChainHead,
    rows: readonly ChainRow[],
    change: { readonly isCurrent: () => boolean; readonly apply: () => void },
  ): AppendResult | null {
    const writer = this.#writer;
    if (!(writer instanceof DirectWriter)) throw new TypeError('only a command writes in one commit');
    return this.#db.immediately(() => {
      if (!change.isCurrent()) return null;
      const result = writer.appendNow(after, rows);
      if (result.kind === 'appended') change.apply();
      return result;
    });
  }

  /** Registrations, in the shape that `telephony` keeps them. */
  bindings<Binding extends BindingRow>(): SqliteBindings<Binding> {
    return new SqliteBindings<Binding>(this.#db, this.#writer, this.#now);
  }

  /** An owner that starts may wait for a lock like a command; from now on it has calls, and does not. */
  callsBegin(): void {
    this.#db.waitForLocks(OWNER_BUSY_MS);
  }

  /** Writes what is still waiting and gives the store free. May be called twice. */
  async close(): Promise<void> {
    await this.#writer?.close();
    this.#db.close();
    this.#lock?.release();
  }
}
