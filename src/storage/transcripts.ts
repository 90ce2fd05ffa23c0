import type { Instant } from '../core/time/index.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import { asMessage, type Message } from './messages.ts';
import { noKey } from './sealer.ts';

/** Which messages are still to be made text of. */
export class SqliteTranscripts {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** The oldest that is due; of those left before `since` only what was begun. */
  due(at: Instant, since: Instant): { readonly message: Message; readonly tries: number } | null {
    const row = this.#db.first(
      build
        .selectFrom('messages')
        .leftJoin('transcripts', 'transcripts.message_id', 'messages.message_id')
        .selectAll('messages')
        .select('transcripts.tries')
        .where('messages.state', '!=', 'deleted')
        .where('shredded_at', 'is', null)
        .where((e) =>
          e.or([
            e('transcripts.due_at', '<=', at),
            e.and([e('transcripts.message_id', 'is', null), e('messages.at', '>=', since)]),
          ]),
        )
        .orderBy('messages.at')
        .limit(1),
    );
    return row === undefined ? null : { message: asMessage(row, noKey), tries: row.tries ?? 0 };
  }

  /** When it is tried again; null: there is a text, or it is given up. */
  tried(messageId: string, tries: number, dueAt: Instant | null): void {
    const row = { tries, due_at: dueAt };
    const insert = build.insertInto('transcripts').values({ message_id: messageId, ...row });
    this.#db.run(insert.onConflict((c) => c.column('message_id').doUpdateSet(row)));
  }
}
