import type { OverrideChange, ShiftOverride } from '../core/oncall/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Overrides } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import type { Schema } from './schema.ts';

type Row = Schema['roster_overrides'];

/** What people changed about who is on call. Rows are added, accepted and ended, never deleted. */
export class SqliteOverrides implements Overrides {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** Another number after every change, by whichever process. */
  revision(): number {
    const query = build.selectFrom('roster_overrides').select((e) => e.fn.max('revision').as('revision'));
    return this.#db.first(query)?.revision ?? 0;
  }

  /** Those that end after an instant, oldest first; all without one. */
  list(after?: Instant): readonly ShiftOverride[] {
    let query = build.selectFrom('roster_overrides').selectAll().orderBy('id');
    if (after !== undefined) query = query.where('ends_at', '>', after);
    return this.#db.all(query).map(overrideFrom);
  }

  /** All or nothing. */
  apply({ add, accept, end }: OverrideChange): void {
    this.#db.immediately(() => {
      const changed = { revision: this.revision() + 1 };
      for (const one of add) {
        this.#db.run(build.insertInto('roster_overrides').values({ ...rowFrom(one), ...changed }));
      }
      const update = () => build.updateTable('roster_overrides');
      for (const { id, at, by } of accept) {
        this.#db.run(
          update()
            .set({ accepted_at: at, accepted_by: by, ...changed })
            .where('id', '=', id),
        );
      }
      for (const { id, at, by, for: other } of end) {
        this.#db.run(
          update()
            .set({ ended_at: at, ended_by: by, ended_for: other, ...changed })
            .where('id', '=', id),
        );
      }
    });
  }
}

function rowFrom(one: ShiftOverride): Omit<Row, 'revision'> {
  return {
    id: one.id,
    kind: one.kind,
    service: one.service,
    tier: one.tier,
    starts_at: one.from,
    ends_at: one.to,
    person_out: one.out,
    person_in: one.in,
    author: one.author,
    reason: one.reason,
    made_at: one.madeAt,
    swap: one.swap,
    accepted_at: one.acceptedAt,
    accepted_by: one.acceptedBy,
    ended_at: one.endedAt,
    ended_by: one.endedBy,
    ended_for: one.endedFor,
  };
}

function overrideFrom(row: Row): ShiftOverride {
  return {
    id: row.id,
    kind: row.kind as ShiftOverride['kind'],
    service: row.service as ShiftOverride['service'],
    tier: row.tier as ShiftOverride['tier'],
    from: row.starts_at as Instant,
    to: row.ends_at as Instant,
    out: row.person_out as ShiftOverride['out'],
    in: row.person_in as ShiftOverride['in'],
    author: row.author,
    reason: row.reason,
    madeAt: row.made_at as Instant,
    swap: row.swap,
    acceptedAt: row.accepted_at as Instant | null,
    acceptedBy: row.accepted_by,
    endedAt: row.ended_at as Instant | null,
    endedBy: row.ended_by,
    endedFor: row.ended_for,
  };
}
