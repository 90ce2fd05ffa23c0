import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import {
  absenceEnd,
  callBack,
  chases,
  greetings,
  mailboxes,
  notices,
  noticeTries,
  passedOn,
  transcripts,
} from './mailbox-migration.ts';

/**
 * Every change of the schema, oldest first. A migration that has been released is never edited.
 * They run inside one transaction (migrate.ts), so a kill leaves the schema as it was.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-audit-phones-calls': { up: auditPhonesCalls },
  '0002-documents-messages': { up: documentsMessages },
  '0003-roster-overrides': { up: rosterOverrides },
  '0004-roster-feeds': { up: rosterFeeds },
  '0005-plan-versions': { up: planVersions },
  '0006-server-orders': { up: serverOrders },
  '0007-roster-calendars': { up: rosterCalendars },
  '0008-audit-terms': { up: auditTerms },
  '0010-mailboxes': mailboxes,
  '0011-chases': chases,
  '0012-greetings': greetings,
  '0013-call-back': callBack,
  '0014-notices': notices,
  '0015-passed-on': passedOn,
  '0016-transcripts': transcripts,
  '0021-absence-end': absenceEnd,
  '0022-notice-tries': noticeTries,
};

async function auditPhonesCalls(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_entries')
    .addColumn('seq', 'integer', (c) => c.primaryKey())
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('call_id', 'text')
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('prev', 'blob', (c) => c.notNull())
    .addColumn('hash', 'blob', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('audit_entries_call').on('audit_entries').column('call_id').execute();
  await db.schema
    .createTable('phones')
    .addColumn('extension', 'text', (c) => c.primaryKey())
    .addColumn('ha1_md5', 'text', (c) => c.notNull())
    .addColumn('ha1_sha256', 'text', (c) => c.notNull())
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .execute();
  // A phone that is removed takes its registrations along.
  await db.schema
    .createTable('bindings')
    .addColumn('extension', 'text', (c) => c.notNull().references('phones.extension').onDelete('cascade'))
    .addColumn('contact', 'text', (c) => c.notNull())
    .addColumn('details', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('bindings_pk', ['extension', 'contact'])
    .execute();
  await db.schema
    .createTable('calls')
    .addColumn('call_id', 'text', (c) => c.primaryKey())
    .addColumn('started_at', 'integer', (c) => c.notNull())
    .addColumn('from_sealed', 'text', (c) => c.notNull())
    .addColumn('dialled', 'text', (c) => c.notNull())
    .addColumn('ended_at', 'integer')
    .addColumn('cause', 'text')
    .addColumn('accepted_by', 'text')
    .addColumn('service', 'text')
    .execute();
  await db.schema.createIndex('calls_started').on('calls').column('started_at').execute();
  await db.schema
    .createIndex('calls_unfinished')
    .on('calls')
    .column('call_id')
    .where(sql<boolean>`ended_at is null`)
    .execute();
}

async function documentsMessages(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('document_versions')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('plan', 'text', (c) => c.notNull())
    .addColumn('roster', 'text', (c) => c.notNull())
    .addColumn('files', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('messages')
    .addColumn('message_id', 'text', (c) => c.primaryKey())
    .addColumn('mailbox', 'text', (c) => c.notNull())
    .addColumn('call_id', 'text')
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('duration_ms', 'integer', (c) => c.notNull())
    .addColumn('urgent', 'integer', (c) => c.notNull())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('exported_at', 'integer')
    .execute();
  await db.schema.createIndex('messages_mailbox').on('messages').columns(['mailbox', 'at']).execute();
}

async function rosterOverrides(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('roster_overrides')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('tier', 'text', (c) => c.notNull())
    .addColumn('starts_at', 'integer', (c) => c.notNull())
    .addColumn('ends_at', 'integer', (c) => c.notNull())
    .addColumn('person_out', 'text')
    .addColumn('person_in', 'text')
    .addColumn('author', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('made_at', 'integer', (c) => c.notNull())
    .addColumn('swap', 'integer')
    .addColumn('accepted_at', 'integer')
    .addColumn('accepted_by', 'text')
    .addColumn('ended_at', 'integer')
    .addColumn('ended_by', 'text')
    .addColumn('ended_for', 'integer')
    .addColumn('revision', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('roster_overrides_end').on('roster_overrides').column('ends_at').execute();
  await db.schema.createIndex('roster_overrides_revision').on('roster_overrides').column('revision').execute();
}

async function planVersions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plan_versions')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('version', 'text', (c) => c.notNull().unique())
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('author', 'text', (c) => c.notNull())
    .addColumn('files', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('plan_orders')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('version', 'text', (c) => c.notNull().references('plan_versions.version'))
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('author', 'text', (c) => c.notNull())
    .addColumn('how', 'text', (c) => c.notNull())
    .addColumn('instead_of', 'text')
    .execute();
  // What was in force once stays what it was, whatever a program that opens the store believes.
  for (const table of ['plan_versions', 'plan_orders']) {
    for (const change of ['update', 'delete']) {
      const name = sql.raw(`${table}_no_${change}`);
      const words = sql.raw(`before ${change} on ${table}`);
      await sql`create trigger ${name} ${words} begin select raise(abort, 'versions are immutable'); end`.execute(db);
    }
  }
}

async function serverOrders(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('server_orders')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('server', 'text', (c) => c.notNull())
    .addColumn('draining', 'integer', (c) => c.notNull())
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('author', 'text', (c) => c.notNull())
    .execute();
}

async function rosterFeeds(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('roster_feeds')
    .addColumn('feed', 'text', (c) => c.primaryKey())
    .addColumn('document', 'text')
    .addColumn('taken_at', 'integer')
    .addColumn('refused_because', 'text')
    .addColumn('refused_at', 'integer')
    .addColumn('revision', 'integer', (c) => c.notNull())
    .execute();
}

async function rosterCalendars(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('roster_calendars')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('person', 'text')
    .addColumn('service', 'text')
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('made_at', 'integer', (c) => c.notNull())
    .addColumn('made_by', 'text', (c) => c.notNull())
    .addColumn('ended_at', 'integer')
    .addColumn('ended_by', 'text')
    .execute();
}

async function auditTerms(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_terms')
    .addColumn('term', 'text', (c) => c.notNull())
    .addColumn('about', 'text', (c) => c.notNull())
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('call_id', 'text')
    .addPrimaryKeyConstraint('audit_terms_pk', ['about', 'term'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema.createIndex('audit_terms_time').on('audit_terms').columns(['term', 'at', 'seq']).execute();
  await db.schema
    .createTable('audit_indexed')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .execute();
}
