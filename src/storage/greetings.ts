import type { Instant } from '../core/time/index.ts';
import type { GreetingKind, Greetings } from '../core/voicemail/index.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

export interface Greeting {
  readonly mailbox: string;
  readonly kind: GreetingKind;
  readonly greetingId: string;
  readonly setAt: Instant;
  readonly setBy: string;
  /** Only an absence has an end. */
  readonly endsAt: Instant | null;
}

/** Which sealed recordings callers of a mailbox hear. */
export class SqliteGreetings {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  of(mailbox: string): Greetings {
    const rows = this.#db.all(build.selectFrom('greetings').selectAll().where('mailbox', '=', mailbox));
    const absenceEndsAt = (rows.find(({ kind }) => kind === 'absence')?.ends_at ?? null) as Instant | null;
    const ids: { readonly [K in GreetingKind]?: string } = Object.fromEntries(
      rows.map(({ kind, greeting_id: id }) => [kind, id]),
    );
    return absenceEndsAt === null ? ids : { ...ids, absenceEndsAt };
  }

  /** Of one mailbox, or of all, by mailbox and kind. */
  list(mailbox?: string): readonly Greeting[] {
    const all = build.selectFrom('greetings').selectAll().orderBy('mailbox').orderBy('kind');
    return this.#db.all(mailbox === undefined ? all : all.where('mailbox', '=', mailbox)).map((row) => ({
      mailbox: row.mailbox,
      kind: row.kind as GreetingKind,
      greetingId: row.greeting_id,
      setAt: row.set_at as Instant,
      setBy: row.set_by,
      endsAt: row.ends_at as Instant | null,
    }));
  }

  /** null: until it is deleted. */
  setAbsenceEnd(mailbox: string, endsAt: Instant | null): void {
    const update = build.updateTable('greetings').set({ ends_at: endsAt });
    this.#db.run(update.where('mailbox', '=', mailbox).where('kind', '=', 'absence'));
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
    const row = { greeting_id: greetingId, set_at: done.at, set_by: done.by, ends_at: null };
    const insert = build.insertInto('greetings').values({ mailbox, kind, ...row });
    this.#db.run(insert.onConflict((c) => c.columns(['mailbox', 'kind']).doUpdateSet(row)));
  }
}
