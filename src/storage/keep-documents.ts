import type { DocumentVersion, PlanVersion } from '../engine/ports.ts';
import type { SqliteDatabase } from './database.ts';

/** Documents that are kept word for word. They may be large: so a store with calls writes them in its writer's thread. */
export type KeptDocuments =
  | ({ readonly kind: 'version' } & DocumentVersion)
  | ({ readonly kind: 'plan' } & PlanVersion);

/** Without Kysely, which takes a quarter of a second of each thread that loads it. */
export function keepDocuments(db: SqliteDatabase, kept: KeptDocuments): void {
  const files = JSON.stringify(kept.files);
  db.immediately(() => {
    if (kept.kind === 'version') {
      const insert = 'insert into document_versions (at, plan, roster, files) values (?, ?, ?, ?)';
      db.prepare<unknown[]>(insert).run(kept.at, kept.plan, kept.roster, files);
      return;
    }
    // The first to bring a version in is its author; the same content again is the same version.
    const insert = 'insert into plan_versions (version, at, author, files) values (?, ?, ?, ?) on conflict do nothing';
    db.prepare<unknown[]>(insert).run(kept.version, kept.at, kept.author, files);
  });
}
