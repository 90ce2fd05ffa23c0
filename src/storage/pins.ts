import type { Instant } from '../core/time/index.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

/** PINs of mailboxes, hashed, and the tries at them. Every method throws PortError. */
export class SqlitePins {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** As `directory` wrote it; null when the mailbox has none. */
  hash(mailbox: string): string | null {
    const query = build.selectFrom('mailbox_pins').select('hash').where('mailbox', '=', mailbox);
    return this.#db.first(query)?.hash ?? null;
  }

  set(mailbox: string, hash: string, at: Instant, by: string): void {
    const row = { hash, set_at: at, set_by: by };
    const insert = build.insertInto('mailbox_pins').values({ mailbox, ...row });
    this.#db.run(insert.onConflict((c) => c.column('mailbox').doUpdateSet(row)));
  }

  tries(about: string): { readonly failures: number; readonly lastAt: Instant } | null {
    const query = build.selectFrom('pin_tries').select(['failures', 'last_at']).where('about', '=', about);
    const row = this.#db.first(query);
    return row === undefined ? null : { failures: row.failures, lastAt: row.last_at as Instant };
  }

  /** null: forgotten. */
  noteTries(about: string, tries: { readonly failures: number; readonly lastAt: Instant } | null): void {
    if (tries === null) return void this.#db.run(build.deleteFrom('pin_tries').where('about', '=', about));
    const row = { failures: tries.failures, last_at: tries.lastAt };
    const insert = build.insertInto('pin_tries').values({ about, ...row });
    this.#db.run(insert.onConflict((c) => c.column('about').doUpdateSet(row)));
  }
}
