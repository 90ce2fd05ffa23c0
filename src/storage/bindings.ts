import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import type { StoreWriter } from './writer.ts';

/** What is kept of any binding; the rest of it is stored and given back as it is. */
export interface BindingRow {
  readonly extension: string;
  readonly uri: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Registrations, kept across a restart for `telephony` (its `Bindings`). Written behind the caller's back, in order. */
export class SqliteBindings<Binding extends BindingRow> {
  readonly #db: SqliteDatabase;
  readonly #writer: StoreWriter | null;
  readonly #now: () => number;

  constructor(db: SqliteDatabase, writer: StoreWriter | null, now: () => number) {
    this.#db = db;
    this.#writer = writer;
    this.#now = now;
  }

  /** Those that have not expired. */
  async load(): Promise<readonly Binding[]> {
    const rows = build.selectFrom('bindings').select('details').where('expires_at', '>', this.#now());
    return this.#db.all(rows).map((row) => JSON.parse(row.details) as Binding);
  }

  /** Replaces the binding with the same extension and uri. A phone that was removed in between is not brought back. */
  async save(binding: Binding): Promise<void> {
    const { extension, uri, expiresAt } = binding;
    this.#writer?.change({
      kind: 'bindingSaved',
      extension,
      contact: uri,
      expiresAt,
      details: JSON.stringify(binding),
    });
  }

  async remove(extension: string, uri: string): Promise<void> {
    this.#writer?.change({ kind: 'bindingRemoved', extension, contact: uri });
  }
}
