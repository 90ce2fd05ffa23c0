import type { DocumentVersion, PlanVersion } from '../engine/ports.ts';
import type { SqliteDatabase } from './database.ts';

/** Documents that are kept word for word. They may be large: so a store with calls writes them in its writer's thread. */
export type KeptDocuments =
  | ({ readonly kind: 'version' } & DocumentVersion)
  | ({ readonly kind: 'plan' } & PlanVersion);

export function keepDocuments(db: SqliteDatabase, kept: KeptDocuments): void {
  if (kept.kind === 'version') {
    const { at, plan, roster } = kept;
    const files = JSON.stringify(kept.files);
    db.run(db.build.insertInto('document_versions').values({ at, plan, roster, files }));
    return;
  }
  const { version, at, author } = kept;
  const values = { version, at, author, files: JSON.stringify(kept.files) };
  // The first to bring a version in is its author; the same content again is the same version.
  db.run(
    db.build
      .insertInto('plan_versions')
      .values(values)
      .onConflict((conflict) => conflict.doNothing()),
  );
}
