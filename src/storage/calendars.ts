import type { Instant } from '../core/time/index.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import type { Schema } from './schema.ts';

/** A calendar of duties that other programs subscribe to. Rows are added and ended, never deleted. */
export interface CalendarRow {
  readonly id: number;
  /** PersonId or ServiceId; the other one is null. */
  readonly person: string | null;
  readonly service: string | null;
  readonly madeAt: Instant;
  readonly madeBy: string;
  readonly endedAt: Instant | null;
  readonly endedBy: string | null;
}

export class SqliteCalendars {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** `tokenHash`: SHA-256 in hex. The number by which it is ended. */
  add(of: Pick<CalendarRow, 'person' | 'service'>, tokenHash: string, at: Instant, by: string): number {
    return this.#db.immediately(() => {
      const row = { person: of.person, service: of.service, token_hash: tokenHash, made_at: at, made_by: by };
      this.#db.run(build.insertInto('roster_calendars').values({ ...row, ended_at: null, ended_by: null }));
      const own = build.selectFrom('roster_calendars').select('id').where('token_hash', '=', tokenHash);
      return this.#db.first(own)!.id;
    });
  }

  list(): readonly CalendarRow[] {
    return this.#db.all(build.selectFrom('roster_calendars').selectAll().orderBy('id')).map(calendarFrom);
  }

  /** The calendar at this address; null when there is none, or none any more. */
  find(tokenHash: string): CalendarRow | null {
    const own = build.selectFrom('roster_calendars').selectAll().where('token_hash', '=', tokenHash);
    const row = this.#db.first(own.where('ended_at', 'is', null));
    return row === undefined ? null : calendarFrom(row);
  }

  /** False when it was ended before, or never was. */
  end(id: number, at: Instant, by: string): boolean {
    const update = build.updateTable('roster_calendars').set({ ended_at: at, ended_by: by });
    return this.#db.run(update.where('id', '=', id).where('ended_at', 'is', null)) === 1;
  }
}

type Row = Omit<Schema['roster_calendars'], 'id'> & { readonly id: number };

function calendarFrom({ id, person, service, made_at, made_by, ended_at, ended_by }: Row): CalendarRow {
  return {
    id,
    person,
    service,
    madeAt: made_at as Instant,
    madeBy: made_by,
    endedAt: ended_at as Instant | null,
    endedBy: ended_by,
  };
}
