import type { CallId } from '../core/call/index.ts';
import { type Phi, phi } from '../core/phi/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { CallIndex } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';
import type { Sealer } from './sealer.ts';
import type { StoreWriter } from './writer.ts';

export interface CallRow {
  readonly callId: CallId;
  readonly startedAt: Instant;
  /** "[sealed]" when the store was opened without the key. */
  readonly from: Phi<string>;
  readonly dialled: string;
  /** null while the call runs. */
  readonly endedAt: Instant | null;
  readonly cause: string | null;
  readonly acceptedBy: string | null;
  readonly service: string | null;
}

/** The summary row per call. Who called is sealed; the rest names numbers of the house only. */
export class SqliteCalls implements CallIndex {
  readonly #db: SqliteDatabase;
  readonly #writer: StoreWriter | null;
  readonly #sealer: Sealer;

  constructor(db: SqliteDatabase, writer: StoreWriter | null, sealer: Sealer) {
    this.#db = db;
    this.#writer = writer;
    this.#sealer = sealer;
  }

  callStarted(row: Parameters<CallIndex['callStarted']>[0]): void {
    const { callId, at, dialled } = row;
    const from = this.#sealer.seal(typeof row.from === 'string' ? row.from : row.from.reveal());
    this.#writer?.change({ kind: 'callStarted', callId, at, from, dialled });
  }

  callEnded(row: Parameters<CallIndex['callEnded']>[0]): void {
    this.#writer?.change({ kind: 'callEnded', ...row });
  }

  unfinished(): readonly CallId[] {
    const query = build.selectFrom('calls').select('call_id as callId').where('ended_at', 'is', null);
    return this.#db.all(query.orderBy('started_at')).map((row) => row.callId as CallId);
  }

  /** An extension, a number or a trunk; null when the call is forgotten, or the key is not here. */
  callerOf(callId: string): string | null {
    const query = build.selectFrom('calls').select('from_sealed').where('call_id', '=', callId);
    const row = this.#db.first(query);
    return row === undefined ? null : this.#sealer.open(row.from_sealed);
  }

  /** Forgets calls that began before; how many. */
  async forget(before: Instant): Promise<number> {
    return this.#db.run(build.deleteFrom('calls').where('started_at', '<', before).where('ended_at', 'is not', null));
  }

  /** Newest first. `before` continues behind the last row of the last page. */
  async list(page: {
    readonly limit: number;
    readonly before?: Pick<CallRow, 'startedAt' | 'callId'>;
  }): Promise<readonly CallRow[]> {
    const { limit, before } = page;
    const newest = build.selectFrom('calls').selectAll().orderBy('started_at', 'desc');
    let query = newest.orderBy('call_id', 'desc').limit(limit);
    if (before !== undefined) {
      const { startedAt, callId } = before;
      // Calls that came in the same millisecond stand in the order of their ids.
      query = query.where((e) => e(e.refTuple('started_at', 'call_id'), '<', e.tuple(startedAt, callId)));
    }
    return this.#db.all(query).map((row) => ({
      callId: row.call_id as CallId,
      startedAt: row.started_at as Instant,
      from: phi(this.#sealer.open(row.from_sealed) ?? '[sealed]'),
      dialled: row.dialled,
      endedAt: row.ended_at as Instant | null,
      cause: row.cause,
      acceptedBy: row.accepted_by,
      service: row.service,
    }));
  }
}
