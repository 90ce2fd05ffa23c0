import { instant, type Instant } from '../core/time/index.ts';
import type { DocumentVersion, DocumentVersions } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import type { StoreWriter } from './writer.ts';

export class SqliteDocumentVersions implements DocumentVersions {
  readonly #db: SqliteDatabase;

  readonly #writer: Pick<StoreWriter, 'keep'> | null;

  constructor(db: SqliteDatabase, writer: Pick<StoreWriter, 'keep'> | null) {
    this.#db = db;
    this.#writer = writer;
  }

  async save(version: DocumentVersion): Promise<void> {
    if (this.#writer === null) throw new TypeError('this store was opened for reading');
    await this.#writer.keep({ ...version, kind: 'version' });
  }

  lastGood(): DocumentVersion | null {
    const newest = build.selectFrom('document_versions').selectAll().orderBy('id', 'desc').limit(1);
    return versionFrom(this.#db.first(newest));
  }

  /** Hash of the plan that was in force before this one came; null when there was none. */
  plansBefore(plan: string): string | null {
    const all = build.selectFrom('document_versions').select(['id', 'plan']).orderBy('id', 'desc');
    const newest = this.#db.first(all.where('plan', '=', plan).limit(1));
    const before = all.where('plan', '!=', plan).where('id', '<', newest?.id ?? 0);
    return this.#db.first(before.limit(1))?.plan ?? null;
  }

  /** The documents that were in force at an instant, and until when; null before the first ones were. */
  inForceAt(at: Instant): { readonly version: DocumentVersion; readonly until: Instant | null } | null {
    const all = build.selectFrom('document_versions').selectAll();
    const row = this.#db.first(all.where('at', '<=', at).orderBy('id', 'desc').limit(1));
    const version = versionFrom(row);
    if (row === undefined || version === null) return null;
    const next = this.#db.first(all.where('id', '>', row.id).orderBy('id').limit(1));
    return { version, until: next === undefined ? null : instant(next.at) };
  }

  /** When each roster came into force, the oldest first, from the one that was in force at `from` on; the newest `most`. */
  rosterChanges(from: Instant, most: number): readonly Pick<DocumentVersion, 'at' | 'plan' | 'roster'>[] {
    const all = build.selectFrom('document_versions').select(['id', 'at', 'plan', 'roster']);
    const first = this.#db.first(all.where('at', '<=', from).orderBy('id', 'desc').limit(1));
    const rows = this.#db.all(all.where('id', '>=', first?.id ?? 0).orderBy('id'));
    // A change of the plan alone is none here.
    const changes = rows.filter(({ roster }, i) => roster !== rows[i - 1]?.roster);
    return changes.slice(-most).map(({ at, plan, roster }) => ({ at: instant(at), plan, roster }));
  }

  /** The documents that were in force under these two hashes; null when they never were. */
  find({ plan, roster }: Pick<DocumentVersion, 'plan' | 'roster'>): DocumentVersion | null {
    const all = build.selectFrom('document_versions').selectAll();
    const query = all.where('plan', '=', plan).where('roster', '=', roster).orderBy('id', 'desc').limit(1);
    return versionFrom(this.#db.first(query));
  }
}

function versionFrom(
  row: { at: number; plan: string; roster: string; files: string } | undefined,
): DocumentVersion | null {
  if (row === undefined) return null;
  const files = JSON.parse(row.files) as DocumentVersion['files'];
  return { at: instant(row.at), plan: row.plan, roster: row.roster, files };
}
