import { instant } from '../core/time/index.ts';
import type { PlanOrder, PlanOrders, PlanVersion } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import type { StoreWriter } from './writer.ts';

/** Every version of the plan under the hash of its content, and what was ordered to come into force. Only ever added to. */
export class SqlitePlans implements PlanOrders {
  readonly #db: SqliteDatabase;

  readonly #writer: Pick<StoreWriter, 'keep'> | null;

  constructor(db: SqliteDatabase, writer: Pick<StoreWriter, 'keep'> | null) {
    this.#db = db;
    this.#writer = writer;
  }

  /** The first to bring a version in is its author; the same content again is the same version. */
  async keep(plan: PlanVersion): Promise<void> {
    if (this.#writer === null) throw new TypeError('this store was opened for reading');
    await this.#writer.keep({ ...plan, kind: 'plan' });
  }

  /** Newest first. */
  list(): readonly PlanVersion[] {
    const all = build.selectFrom('plan_versions').selectAll().orderBy('id', 'desc');
    return this.#db.all(all).map(planVersion);
  }

  find(version: string): PlanVersion | null {
    const query = build.selectFrom('plan_versions').selectAll().where('version', '=', version);
    const row = this.#db.first(query);
    return row === undefined ? null : planVersion(row);
  }

  order({ version, at, author, how, insteadOf }: Omit<PlanOrder, 'id'>): void {
    const values = { version, at, author, how, instead_of: insteadOf };
    this.#db.run(build.insertInto('plan_orders').values(values));
  }

  newest(): PlanOrder | null {
    return this.orders(1)[0] ?? null;
  }

  /** Newest first. */
  orders(limit: number): readonly PlanOrder[] {
    const all = build.selectFrom('plan_orders').selectAll().orderBy('id', 'desc').limit(limit);
    return this.#db.all(all).map(({ id, version, at, author, how, instead_of }): PlanOrder => {
      return { id, version, at: instant(at), author, how: how as PlanOrder['how'], insteadOf: instead_of };
    });
  }
}

function planVersion(row: { version: string; at: number; author: string; files: string }): PlanVersion {
  const files = JSON.parse(row.files) as PlanVersion['files'];
  return { version: row.version, at: instant(row.at), author: row.author, files };
}
