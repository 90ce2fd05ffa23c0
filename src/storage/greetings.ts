import type { Instant } from '../core/time/index.ts';
import type { GreetingKind, Greetings } from '../core/voicemail/index.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

/** Which sealed recordings callers of a mailbox hear. */
export class SqliteGreetings {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  of(mailbox: string): Greetings {
    const query = build.selectFrom('greetings').select(['kind', 'greeting_id']).where('mailbox', '=', mailbox);
    return Object.fromEntries(this.#db.all(query).map(({ kind, greeting_id: id }) => [kind, id]));
  }

  /** Every recording that is in use. */
  ids(): ReadonlySet<string> {
    return new Set(this.#db.all(build.selectFrom('greetings').select('greeting_id')).map((row) => row.greeting_id));
  }

  /** The recordings that are in use, each with its mailbox. */
  owners(): readonly (readonly [greetingId: string, mailbox: string])[] {
    const query = build.selectFrom('greetings').select(['greeting_id', 'mailbox']);
    return this.#db.all(query).map((row) => [row.greeting_id, row.mailbox]);
  }

  /** null: there is none any more. */
  set(
    mailbox: string,
    kind: GreetingKind,
    greetingId: string | null,
    done: { readonly at: Instant; readonly by: string },
  ): void {
    if (greetingId === null) {
      this.#db.run(build.deleteFrom('greetings').where('mailbox', '=', mailbox).where('kind', '=', kind));
      return;
    }
    const row = { greeting_id: greetingId, set_at: done.at, set_by: done.by };
    const insert = build.insertInto('greetings').values({ mailbox, kind, ...row });
    this.#db.run(insert.onConflict((c) => c.columns(['mailbox', 'kind']).doUpdateSet(row)));
  }
}
