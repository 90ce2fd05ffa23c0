import type { CallId } from '../core/call/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Chase } from '../core/voicemail/index.ts';
import type { ChaseBook, ChasedMessage } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import { asMessage } from './messages.ts';
import { noKey } from './sealer.ts';

/** How far each urgent message has been followed. */
export class SqliteChases implements ChaseBook {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** Every message that may have to be followed, or is followed still, the oldest first. */
  open(): readonly ChasedMessage[] {
    const query = build
      .selectFrom('messages')
      .leftJoin('chases', 'chases.message_id', 'messages.message_id')
      .selectAll('messages')
      .select('chases.state as chase')
      .where((e) =>
        e.or([
          e('chases.ended_at', 'is', null),
          e.and([e('followed_at', '>', e.ref('chases.ended_at')), e('claimed_at', 'is', null)]),
        ]),
      )
      .where((e) => e.or([e('urgent', '=', 1), e('urgency', 'in', ['urgent', 'stat'])]))
      .where((e) => e.or([e('chases.message_id', 'is not', null), e('claimed_at', 'is', null)]))
      .where((e) => e.or([e('chases.message_id', 'is not', null), e('messages.state', '!=', 'deleted')]))
      .orderBy('at');
    return this.#db.all(query).map((row) => {
      const message = asMessage(row, noKey);
      const { messageId, mailbox, at, isUrgent, service, urgency, claimed, shreddedAt, state, followed } = message;
      const callId = message.callId as CallId | null;
      return {
        left: { messageId, mailbox, at, isUrgent, service, urgency, callId, again: followed },
        chase: row.chase === null ? null : (JSON.parse(row.chase) as Chase),
        claimedBy: claimed?.by ?? null,
        isGone: state === 'deleted' || shreddedAt !== null,
      };
    });
  }

  save(messageId: string, chase: Chase, at: Instant): void {
    const row = { state: JSON.stringify(chase), ended_at: chase.name === 'over' && !chase.callerDue ? at : null };
    const insert = build.insertInto('chases').values({ message_id: messageId, ...row });
    this.#db.run(insert.onConflict((c) => c.column('message_id').doUpdateSet(row)));
  }
}
