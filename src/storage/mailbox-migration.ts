import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What became of a message, and the PINs that open mailboxes with the tries that were made at them. */
export const mailboxes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const add = db.schema.alterTable('messages');
    await add.addColumn('state', 'text', (c) => c.notNull().defaultTo('new')).execute();
    await add.addColumn('private', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    for (const when of ['heard_at', 'claimed_at', 'deleted_at', 'held_at', 'shredded_at'] as const)
      await add.addColumn(when, 'integer').execute();
    for (const who of ['heard_by', 'claimed_by', 'deleted_by', 'held_by'] as const)
      await add.addColumn(who, 'text').execute();
    await db.schema
      .createTable('mailbox_pins')
      .addColumn('mailbox', 'text', (c) => c.primaryKey())
      .addColumn('hash', 'text', (c) => c.notNull())
      .addColumn('set_at', 'integer', (c) => c.notNull())
      .addColumn('set_by', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('pin_tries')
      .addColumn('about', 'text', (c) => c.primaryKey())
      .addColumn('failures', 'integer', (c) => c.notNull())
      .addColumn('last_at', 'integer', (c) => c.notNull())
      .execute();
  },
};

/** Which chain a message comes from, and how far its chase is. */
export const chases: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const add = db.schema.alterTable('messages');
    for (const what of ['service', 'urgency'] as const) await add.addColumn(what, 'text').execute();
    await db.schema
      .createTable('chases')
      .addColumn('message_id', 'text', (c) => c.primaryKey())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('ended_at', 'integer')
      .execute();
    // Nobody is called at night because of a message that was left before anybody was called at all.
    await sql`
      insert into chases (message_id, state, ended_at)
      select message_id, '{"name":"over","because":"deleted"}', at from messages
    `.execute(db);
  },
};

/** Recordings that callers hear before the tone. */
export const greetings: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('greetings')
      .addColumn('mailbox', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('greeting_id', 'text', (c) => c.notNull())
      .addColumn('set_at', 'integer', (c) => c.notNull())
      .addColumn('set_by', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('greetings_pk', ['mailbox', 'kind'])
      .execute();
  },
};

/** The number that a caller leaves by key, sealed. */
export const callBack: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('messages').addColumn('call_back', 'text').execute();
  },
};

/** The outbox of notices. */
export const notices: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('notices')
      .addColumn('notice_id', 'text', (c) => c.primaryKey())
      .addColumn('message_id', 'text', (c) => c.notNull())
      .addColumn('mailbox', 'text', (c) => c.notNull())
      .addColumn('hook', 'text', (c) => c.notNull())
      .addColumn('to', 'text', (c) => c.notNull())
      .addColumn('urgent', 'integer', (c) => c.notNull())
      .addColumn('made_at', 'integer', (c) => c.notNull())
      .addColumn('due_at', 'integer')
      .addColumn('tries', 'integer', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('notices_due').on('notices').column('due_at').execute();
  },
};

/** Messages that were forwarded, sent as a reply or handed over. */
export const passedOn: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const add = db.schema.alterTable('messages');
    for (const what of ['sent_by', 'copy_of', 'followed_by'] as const) await add.addColumn(what, 'text').execute();
    await add.addColumn('followed_at', 'integer').execute();
  },
};

/** Which messages have been made text of; the text is a sealed file. */
export const transcripts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('transcripts')
      .addColumn('message_id', 'text', (c) => c.primaryKey())
      .addColumn('tries', 'integer', (c) => c.notNull())
      .addColumn('due_at', 'integer')
      .execute();
  },
};

/** Since when a notice is being sent, and what became of it while that is not on record: '' for sent, or why it was given up. */
export const noticeTries: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const add = db.schema.alterTable('notices');
    await add.addColumn('begun_at', 'integer').execute();
    await add.addColumn('outcome', 'text').execute();
  },
};

/** When an absence is over. */
export const absenceEnd: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('greetings').addColumn('ends_at', 'integer').execute();
  },
};
