import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { PortError } from '../engine/ports.ts';
import { storeError } from './store-error.ts';

/**
 * One process owns a store. The lock is the kernel's (an exclusive SQLite lock on an empty file beside the store), so a
 * dead owner holds nothing, whatever killed it; the process id beside it is only for the message.
 */
export class OwnerLock {
  readonly #sqlite: Database.Database;

  private constructor(sqlite: Database.Database) {
    this.#sqlite = sqlite;
  }

  /** Throws PortError storeInUse when another process, or this one, already owns the store. */
  static take(storePath: string): OwnerLock {
    const lock = OwnerLock.tryTake(storePath);
    if (lock !== null) return lock;
    const says = `${storePath} is in use by process ${ownerOf(storePath)}; stop that Wardline, or give this one another --data folder`;
    throw new PortError('storeInUse', { says });
  }

  static tryTake(storePath: string): OwnerLock | null {
    let sqlite: Database.Database | null = null;
    try {
      sqlite = new Database(`${storePath}.lock`, { timeout: 0 });
      sqlite.pragma('journal_mode = MEMORY');
      sqlite.exec('BEGIN EXCLUSIVE');
      chmodSync(`${storePath}.lock`, 0o600);
      writeFileSync(pidPath(storePath), `${process.pid}\n`, { mode: 0o600 });
      return new OwnerLock(sqlite);
    } catch (cause) {
      sqlite?.close();
      if ((cause as { code?: unknown }).code === 'SQLITE_BUSY') return null;
      throw storeError(cause, storePath);
    }
  }

  release(): void {
    if (this.#sqlite.open) this.#sqlite.close();
  }
}

function ownerOf(storePath: string): string {
  try {
    return readFileSync(pidPath(storePath), 'utf8').trim().slice(0, 12);
  } catch {
    // The owner is just starting and has not written it yet.
    return '(starting)';
  }
}

function pidPath(storePath: string): string {
  return `${storePath}.pid`;
}
