import { instant } from '../core/time/index.ts';
import type { ServerOrder, ServerOrders } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

/** Which servers are to get no new calls, as `wardline servers` said it. Only ever added to. */
export class SqliteServerOrders implements ServerOrders {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  order({ kind, server, isDraining, at, author }: ServerOrder): void {
    const values = { kind, server, draining: isDraining ? 1 : 0, at, author };
    this.#db.run(build.insertInto('server_orders').values(values));
  }

  newest(): readonly ServerOrder[] {
    const last = build
      .selectFrom('server_orders')
      .select(({ fn }) => fn.max('id').as('id'))
      .groupBy(['kind', 'server']);
    const query = build.selectFrom('server_orders').selectAll().where('id', 'in', last).orderBy('id');
    return this.#db.all(query).map(({ kind, server, draining, at, author }): ServerOrder => {
      return { kind: kind as ServerOrder['kind'], server, isDraining: draining === 1, at: instant(at), author };
    });
  }
}
