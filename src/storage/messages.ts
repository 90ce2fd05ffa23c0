import type { Instant } from '../core/time/index.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

/** A voicemail message; the sound itself is the sealed file at `path`. */
export interface MessageRow {
  readonly messageId: string;
  readonly mailbox: string;
  readonly callId: string | null;
  readonly at: Instant;
  readonly durationMs: number;
  readonly isUrgent: boolean;
  readonly path: string;
  /** null: never exported. */
  readonly exportedAt: Instant | null;
}

export class SqliteMessages {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** Replaces a message with the same id: a recovery may learn more about it than the call did. */
  async save(message: MessageRow): Promise<void> {
    const row = {
      mailbox: message.mailbox,
      call_id: message.callId,
      at: message.at,
      duration_ms: message.durationMs,
      urgent: message.isUrgent ? 1 : 0,
      path: message.path,
      exported_at: message.exportedAt,
    };
    const insert = build.insertInto('messages').values({ message_id: message.messageId, ...row });
    this.#db.run(insert.onConflict((c) => c.column('message_id').doUpdateSet(row)));
  }

  async find(messageId: string): Promise<MessageRow | null> {
    const row = this.#db.first(build.selectFrom('messages').selectAll().where('message_id', '=', messageId));
    return row === undefined ? null : asMessage(row);
  }

  /** Urgent ones first, then the oldest first. */
  async list(mailbox?: string): Promise<readonly MessageRow[]> {
    let query = build.selectFrom('messages').selectAll().orderBy('urgent', 'desc').orderBy('at');
    if (mailbox !== undefined) query = query.where('mailbox', '=', mailbox);
    return this.#db.all(query).map(asMessage);
  }

  /** False when there is no such message. */
  async exported(messageId: string, at: Instant): Promise<boolean> {
    const update = build.updateTable('messages').set({ exported_at: at }).where('message_id', '=', messageId);
    return this.#db.run(update) === 1;
  }
}

function asMessage(row: {
  message_id: string;
  mailbox: string;
  call_id: string | null;
  at: number;
  duration_ms: number;
  urgent: number;
  path: string;
  exported_at: number | null;
}): MessageRow {
  return {
    messageId: row.message_id,
    mailbox: row.mailbox,
    callId: row.call_id,
    at: row.at as Instant,
    durationMs: row.duration_ms,
    isUrgent: row.urgent === 1,
    path: row.path,
    exportedAt: row.exported_at as Instant | null,
  };
}
