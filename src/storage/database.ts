import Database from 'better-sqlite3';
import type { Compilable } from 'kysely';
import { storeError } from './store-error.ts';

const MAX_STATEMENTS = 200;

export interface DatabaseOptions {
  readonly readonly: boolean;
  /** A lock held by another process is waited for this long. */
  readonly busyMs: number;
  /** Told of every statement before it runs. */
  readonly onStatement?: (sql: unknown) => void;
}

/**
 * One SQLite connection. Statements are built with Kysely (build.ts) and run where they stand, on one connection: nothing
 * else can come between the statements of a transaction.
 */
export class SqliteDatabase {
  readonly path: string;
  readonly #sqlite: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  /** Throws PortError storeUnavailable or storeDamaged, with the remedy. */
  constructor(path: string, options: DatabaseOptions) {
    this.path = path;
    try {
      this.#sqlite = new Database(path, {
        readonly: options.readonly,
        fileMustExist: options.readonly,
        timeout: options.busyMs,
        verbose: options.onStatement,
      });
      if (!options.readonly) this.#sqlite.pragma('journal_mode = WAL');
      this.#sqlite.pragma('synchronous = FULL');
      // To write the log back holds up a commit, so it is done seldom: after 32 MB, which are then used again.
      this.#sqlite.pragma('wal_autocheckpoint = 8000');
      this.#sqlite.pragma('journal_size_limit = 41943040');
      this.#sqlite.pragma('foreign_keys = ON');
      this.#sqlite.pragma('trusted_schema = OFF');
      // Reading the schema finds a file that is not a database, also when it was opened for reading only.
      this.#sqlite.pragma('schema_version');
    } catch (cause) {
      throw storeError(cause, path);
    }
  }

  all<Row>(query: Compilable<Row>): Row[] {
    const { sql, parameters } = query.compile();
    return this.#guard(() => this.#statement(sql).all(...parameters) as Row[]);
  }

  first<Row>(query: Compilable<Row>): Row | undefined {
    return this.all(query)[0];
  }

  /** How many rows were changed. */
  run(query: Compilable): number {
    const { sql, parameters } = query.compile();
    return this.#guard(() => this.#statement(sql).run(...parameters).changes);
  }

  /** For the statements of the call path, which are not built each time. */
  prepare<Parameters extends unknown[], Row = unknown>(sql: string): Database.Statement<Parameters, Row> {
    return this.#guard(() => this.#sqlite.prepare<Parameters, Row>(sql));
  }

  exec(sql: string): void {
    this.#guard(() => this.#sqlite.exec(sql));
  }

  /** Takes the writer's lock first, so that what is read inside stays true until it commits. */
  immediately<T>(work: () => T): T {
    return this.#guard(() => this.#sqlite.transaction(work).immediate());
  }

  /** For the migrations, which Kysely runs. */
  get connection(): Database.Database {
    return this.#sqlite;
  }

  waitForLocks(ms: number): void {
    this.#sqlite.pragma(`busy_timeout = ${ms}`);
  }

  /** [] for an unharmed file. */
  faults(): readonly string[] {
    return this.#guard(() => {
      const rows = this.#sqlite.pragma('integrity_check(20)') as { integrity_check: string }[];
      return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
    });
  }

  get isOpen(): boolean {
    return this.#sqlite.open;
  }

  close(): void {
    if (this.#sqlite.open) this.#sqlite.close();
  }

  #statement(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const statement = this.#sqlite.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw storeError(cause, this.path);
    }
  }
}
