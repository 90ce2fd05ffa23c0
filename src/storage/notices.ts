import type { Selectable } from 'kysely';
import type { Instant } from '../core/time/index.ts';
import type { Notice } from '../core/voicemail/index.ts';
import type { DueNotice, NoticeBook } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import type { Schema } from './schema.ts';

export interface NoticeRow extends DueNotice {
  /** null: it is sent, or given up, and on record. */
  readonly dueAt: Instant | null;
}

/** The outbox: what is to be told to programs of the house, until it is. */
export class SqliteNotices implements NoticeBook {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** One that was made before stays as it is. */
  add(notices: readonly Notice[]): void {
    for (const { id, messageId, mailbox, hook, to, isUrgent, madeAt } of notices) {
      const row = {
        notice_id: id,
        message_id: messageId,
        mailbox,
        hook,
        to,
        urgent: isUrgent ? 1 : 0,
        made_at: madeAt,
      };
      const insert = build.insertInto('notices').values({ ...row, due_at: madeAt, tries: 0 });
      this.#db.run(insert.onConflict((c) => c.column('notice_id').doNothing()));
    }
  }

  due(at: Instant, limit: number): readonly NoticeRow[] {
    const query = build.selectFrom('notices').selectAll().where('due_at', '<=', at).orderBy('due_at').limit(limit);
    return this.#db.all(query).map(asNotice);
  }

  /** The newest first. */
  list(which: 'waiting' | 'all', limit: number): readonly NoticeRow[] {
    const all = build.selectFrom('notices').selectAll().orderBy('made_at', 'desc').limit(limit);
    return this.#db.all(which === 'all' ? all : all.where('due_at', 'is not', null)).map(asNotice);
  }

  /** Those of a message that are not sent yet are tried at once. How many. */
  hurry(messageId: string, at: Instant): number {
    const update = build.updateTable('notices').set({ due_at: at });
    return this.#db.run(update.where('message_id', '=', messageId).where('due_at', 'is not', null));
  }

  begun(id: string, at: Instant): void {
    const update = build.updateTable('notices').set((e) => ({ begun_at: at, tries: e('tries', '+', 1) }));
    this.#db.run(update.where('notice_id', '=', id));
  }

  failed(id: string, dueAt: Instant, isUnsure: boolean): void {
    const update = build.updateTable('notices').set({ due_at: dueAt, ...(isUnsure ? {} : { begun_at: null }) });
    this.#db.run(update.where('notice_id', '=', id));
  }

  over(id: string, because: string): void {
    this.#db.run(build.updateTable('notices').set({ outcome: because }).where('notice_id', '=', id));
  }

  /** The row stays, so that the same notice is not made again. */
  recorded(id: string): void {
    const update = build.updateTable('notices').set({ due_at: null, begun_at: null, outcome: null });
    this.#db.run(update.where('notice_id', '=', id));
  }

  get waiting(): number {
    const count = build
      .selectFrom('notices')
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('due_at', 'is not', null);
    return this.#db.first(count)?.n ?? 0;
  }
}

function asNotice(row: Selectable<Schema['notices']>): NoticeRow {
  return {
    id: row.notice_id,
    messageId: row.message_id,
    mailbox: row.mailbox,
    hook: row.hook,
    to: row.to,
    isUrgent: row.urgent === 1,
    madeAt: row.made_at as Instant,
    tries: row.tries,
    dueAt: row.due_at as Instant | null,
    begunAt: row.begun_at as Instant | null,
    outcome: row.outcome,
  };
}
