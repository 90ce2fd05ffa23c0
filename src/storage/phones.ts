import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

export interface PhoneRow {
  readonly extension: string;
  readonly ha1Md5: string;
  readonly ha1Sha256: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** What `directory` needs to keep (directory/ports.ts). */
export class SqlitePhones {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** False when the extension already has a phone. */
  async insert(row: PhoneRow): Promise<boolean> {
    const values = {
      extension: row.extension,
      ha1_md5: row.ha1Md5,
      ha1_sha256: row.ha1Sha256,
      created_at: row.createdAt,
    };
    const query = build
      .insertInto('phones')
      .values(values)
      .onConflict((c) => c.doNothing());
    return this.#db.run(query) === 1;
  }

  /** False when there was none. Its registrations go with it. */
  async remove(extension: string): Promise<boolean> {
    return this.#db.run(build.deleteFrom('phones').where('extension', '=', extension)) === 1;
  }

  async find(extension: string): Promise<PhoneRow | null> {
    return this.#db.first(this.#rows().where('extension', '=', extension)) ?? null;
  }

  async list(): Promise<readonly PhoneRow[]> {
    return this.#db.all(this.#rows().orderBy('extension'));
  }

  /** Another text whenever a phone was added or removed, by whichever process. */
  async revision(): Promise<string> {
    const query = build
      .selectFrom('phones')
      .select((e) => [e.fn.countAll<number>().as('count'), e.fn.sum<number>('created_at').as('sum')]);
    const row = this.#db.first(query);
    return `${row?.count ?? 0}:${row?.sum ?? 0}`;
  }

  #rows() {
    const columns = ['extension', 'ha1_md5 as ha1Md5', 'ha1_sha256 as ha1Sha256', 'created_at as createdAt'] as const;
    return build.selectFrom('phones').select(columns);
  }
}
