import { type Selectable, sql } from 'kysely';
import type { Urgency } from '../core/oncall/index.ts';
import { type Phi, phi } from '../core/phi/index.ts';
import type { Instant } from '../core/time/index.ts';
import { build } from './build.ts';
import type { Sealer } from './sealer.ts';
import type { SqliteDatabase } from './database.ts';
import type { Schema } from './schema.ts';

/** A voicemail message as it was left; the sound itself is the sealed file at `path`. */
export interface MessageRow {
  readonly messageId: string;
  readonly mailbox: string;
  readonly callId: string | null;
  readonly at: Instant;
  readonly durationMs: number;
  readonly isUrgent: boolean;
  readonly isPrivate: boolean;
  /** Number that the caller left; "[sealed]" without the key. */
  readonly callBack: Phi<string> | null;
  /** The chain in which nobody accepted, and how urgent it was; null for a message of no chain. */
  readonly service: string | null;
  readonly urgency: Urgency | null;
  /** Mailbox of the person who replied or forwarded it; null for a caller's own message. */
  readonly sentBy: string | null;
  /** The message that it is a copy of. */
  readonly copyOf: string | null;
  readonly path: string;
  /** null: never exported. */
  readonly exportedAt: Instant | null;
}

/** What became of it since. Whoever heard, claimed or deleted it is a mailbox of a person, or a user of the machine. */
export interface MessageFate {
  readonly state: 'new' | 'saved' | 'deleted';
  /** The first time. */
  readonly heard: Done | null;
  readonly claimed: Done | null;
  readonly deleted: Done | null;
  /** Under a legal hold. */
  readonly held: Done | null;
  /** It is followed anew since: somebody brought it back, or handed it over; null: as it was left. */
  readonly followed: Done | null;
  readonly shreddedAt: Instant | null;
}

export interface Done {
  readonly at: Instant;
  readonly by: string;
}

export interface MessageCounts {
  /** That nobody has heard. */
  readonly fresh: number;
  readonly freshUrgent: number;
  /** That somebody has heard or kept. */
  readonly saved: number;
}

export type Message = MessageRow & MessageFate;

export type MessageChange = 'heard' | 'saved' | 'deleted' | 'restored' | 'claimed';

export class SqliteMessages {
  readonly #db: SqliteDatabase;
  readonly #sealer: Sealer;

  constructor(db: SqliteDatabase, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  /** Replaces a message with the same id, but not its fate: a recovery may learn more about it than the call did. */
  async save(message: MessageRow): Promise<void> {
    this.put(message);
  }

  /** As `save`, inside a transaction of the caller. */
  put(message: MessageRow): void {
    const row = {
      mailbox: message.mailbox,
      call_id: message.callId,
      at: message.at,
      duration_ms: message.durationMs,
      urgent: message.isUrgent ? 1 : 0,
      private: message.isPrivate ? 1 : 0,
      call_back: message.callBack === null ? null : this.#sealer.seal(message.callBack.reveal()),
      service: message.service,
      urgency: message.urgency,
      sent_by: message.sentBy,
      copy_of: message.copyOf,
      path: message.path,
      exported_at: message.exportedAt,
    };
    const insert = build.insertInto('messages').values({ message_id: message.messageId, ...row });
    this.#db.run(insert.onConflict((c) => c.column('message_id').doUpdateSet(row)));
  }

  async find(messageId: string): Promise<Message | null> {
    const row = this.#db.first(build.selectFrom('messages').selectAll().where('message_id', '=', messageId));
    return row === undefined ? null : asMessage(row, this.#sealer);
  }

  /** Urgent ones first, then the oldest first; also those that are deleted. */
  async list(mailbox?: string): Promise<readonly Message[]> {
    let query = build.selectFrom('messages').selectAll().orderBy('urgent', 'desc').orderBy('at');
    if (mailbox !== undefined) query = query.where('mailbox', '=', mailbox);
    return this.#db.all(query).map((row) => asMessage(row, this.#sealer));
  }

  /** Messages that nobody has deleted. */
  count(mailbox: string): MessageCounts {
    return this.#counts(mailbox).get(mailbox) ?? { fresh: 0, freshUrgent: 0, saved: 0 };
  }

  /** By mailbox; without those that are empty. */
  counts(): Map<string, MessageCounts> {
    return this.#counts();
  }

  #counts(mailbox?: string): Map<string, MessageCounts> {
    let query = build
      .selectFrom('messages')
      .select((e) => ['mailbox', 'state', 'urgent', e('heard_at', 'is', null).as('unheard')])
      .select((e) => e.fn.countAll<number>().as('messages'))
      .where('state', '!=', 'deleted')
      .groupBy(['mailbox', 'state', 'urgent', 'unheard']);
    if (mailbox !== undefined) query = query.where('mailbox', '=', mailbox);
    const counts = new Map<string, MessageCounts>();
    for (const { mailbox: box, state, urgent, unheard, messages } of this.#db.all(query)) {
      const { fresh, freshUrgent, saved } = counts.get(box) ?? { fresh: 0, freshUrgent: 0, saved: 0 };
      // SQLite has no booleans.
      const isNew = state === 'new' && Boolean(unheard);
      counts.set(box, {
        fresh: fresh + (isNew ? messages : 0),
        freshUrgent: freshUrgent + (isNew && urgent === 1 ? messages : 0),
        saved: saved + (isNew ? 0 : messages),
      });
    }
    return counts;
  }

  /** False when there is no such message. */
  async exported(messageId: string, at: Instant): Promise<boolean> {
    const update = build.updateTable('messages').set({ exported_at: at }).where('message_id', '=', messageId);
    return this.#db.run(update) === 1;
  }

  /** Those that can still be heard, also deleted ones. */
  async unshredded(): Promise<readonly Message[]> {
    return this.#db
      .all(build.selectFrom('messages').selectAll().where('shredded_at', 'is', null))
      .map((row) => asMessage(row, this.#sealer));
  }

  /** null: it is held no longer. */
  async hold(messageId: string, held: Done | null): Promise<void> {
    const set = { held_at: held?.at ?? null, held_by: held?.by ?? null };
    this.#db.run(build.updateTable('messages').set(set).where('message_id', '=', messageId));
  }

  async shredded(messageId: string, at: Instant): Promise<void> {
    this.#db.run(build.updateTable('messages').set({ shredded_at: at }).where('message_id', '=', messageId));
  }

  /** It is nobody's again, urgent, and a concern of the service. */
  handOver(messageId: string, service: string, { at, by }: Done): void {
    const set = { urgent: 1, claimed_at: null, claimed_by: null, service, followed_at: at, followed_by: by };
    const urgency = sql<string>`coalesce(urgency, 'urgent')`;
    this.#db.run(
      build
        .updateTable('messages')
        .set({ ...set, urgency })
        .where('message_id', '=', messageId),
    );
  }

  /** The first who hears or claims a message stays on it. False when there is no such message. */
  async change(messageId: string, change: MessageChange, { at, by }: Done): Promise<boolean> {
    return this.#db.immediately(() => {
      const row = this.#db.first(build.selectFrom('messages').selectAll().where('message_id', '=', messageId));
      if (row === undefined) return false;
      const update = build.updateTable('messages').where('message_id', '=', messageId);
      this.#db.run(update.set(changed(row, change, at, by)));
      return true;
    });
  }
}

function changed(row: Row, change: MessageChange, at: Instant, by: string): Partial<Row> {
  switch (change) {
    case 'heard':
      return row.heard_at === null ? { heard_at: at, heard_by: by } : { heard_at: row.heard_at };
    case 'claimed':
      return row.claimed_at === null ? { claimed_at: at, claimed_by: by } : { claimed_at: row.claimed_at };
    case 'saved':
      return { state: 'saved' };
    case 'deleted':
      return row.state === 'deleted' ? { state: 'deleted' } : { state: 'deleted', deleted_at: at, deleted_by: by };
    case 'restored':
      // What is urgent and nobody's is somebody's concern again.
      return { state: 'saved', deleted_at: null, deleted_by: null, followed_at: at, followed_by: null };
  }
}

type Row = Selectable<Schema['messages']>;

export function asMessage(row: Row, sealer: Sealer): Message {
  return {
    messageId: row.message_id,
    mailbox: row.mailbox,
    callId: row.call_id,
    at: row.at as Instant,
    durationMs: row.duration_ms,
    isUrgent: row.urgent === 1,
    callBack: row.call_back === null ? null : phi(sealer.open(row.call_back) ?? '[sealed]'),
    service: row.service,
    urgency: row.urgency as Urgency | null,
    sentBy: row.sent_by,
    copyOf: row.copy_of,
    path: row.path,
    exportedAt: row.exported_at as Instant | null,
    state: row.state as MessageFate['state'],
    isPrivate: row.private === 1,
    heard: done(row.heard_at, row.heard_by),
    claimed: done(row.claimed_at, row.claimed_by),
    deleted: done(row.deleted_at, row.deleted_by),
    held: done(row.held_at, row.held_by),
    followed: done(row.followed_at, row.followed_by),
    shreddedAt: row.shredded_at as Instant | null,
  };
}

function done(at: number | null, by: string | null): Done | null {
  return at === null ? null : { at: at as Instant, by: by ?? '' };
}
