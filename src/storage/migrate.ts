import { Kysely, SqliteDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { PortError } from '../engine/ports.ts';
import type { SqliteDatabase } from './database.ts';
import { migrations as ours } from './migrations.ts';
import { storeError } from './store-error.ts';

type Migrations = Readonly<Record<string, Migration>>;

/**
 * Brings the schema up to date, all steps in one transaction: a kill or an error leaves the older schema untouched.
 * Throws PortError storeVersion for a store that a newer Wardline has written.
 */
export async function migrate(db: SqliteDatabase, migrations: Migrations = ours): Promise<void> {
  if (pending(db, migrations).length === 0) return;
  // Kysely opens no transaction of its own for SQLite, though SQLite's DDL is transactional; so we open it here.
  db.exec('BEGIN IMMEDIATE');
  try {
    const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: db.connection }) });
    const migrator = new Migrator({ db: kysely, provider: { getMigrations: async () => ({ ...migrations }) } });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw storeError(error, db.path);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** Throws PortError storeVersion for a store that a newer Wardline has written. */
export function isBehind(db: SqliteDatabase): boolean {
  return pending(db, ours).length > 0;
}

/** What is not exactly our schema is neither read nor written. */
export function requireCurrentSchema(db: SqliteDatabase): void {
  const missing = pending(db, ours);
  if (missing.length === 0) return;
  const why = `${db.path} was written by an older Wardline (${missing[0]} is missing), and it cannot be brought up to date now`;
  const remedy = 'restart the Wardline that is running on it, or run this command as the user who owns the file';
  throw new PortError('storeVersion', { says: `${why}: ${remedy}` });
}

function pending(db: SqliteDatabase, migrations: Migrations): readonly string[] {
  const done = applied(db);
  const unknown = done.find((name) => !Object.hasOwn(migrations, name));
  if (unknown !== undefined) {
    const says = `${db.path} was written by a newer Wardline (${unknown}); install that version, or restore the backup made before the upgrade`;
    throw new PortError('storeVersion', { says });
  }
  return Object.keys(migrations).filter((name) => !done.includes(name));
}

function applied(db: SqliteDatabase): readonly string[] {
  const table = db.prepare<[], { name: string }>("select name from sqlite_master where name = 'kysely_migration'");
  if (table.all().length === 0) return [];
  return db
    .prepare<[], { name: string }>('select name from kysely_migration order by name')
    .all()
    .map((row) => row.name);
}
