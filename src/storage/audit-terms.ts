import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

/** A term, and the first entry of a call that has it; facts of no call are found one by one. */
export interface TermRow {
  readonly term: string;
  readonly at: number;
  readonly seq: number;
  readonly callId: string | null;
}

export interface Found {
  readonly at: number;
  readonly seq: number;
  readonly callId: string | null;
}

/** What entries of the audit are found by. Can be made again from the chain at any time. */
export class SqliteAuditTerms {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** The last entry that is in the index. */
  indexedUpTo(): number {
    return this.#db.first(build.selectFrom('audit_indexed').select('seq'))?.seq ?? 0;
  }

  /** All or none. */
  add(rows: readonly TermRow[], upTo: number): void {
    const insert = this.#db.prepare<[string, string, number, number, string | null]>(
      'insert into audit_terms (term, about, at, seq, call_id) values (?, ?, ?, ?, ?) on conflict do nothing',
    );
    const note = this.#db.prepare<[number]>(
      'insert into audit_indexed (id, seq) values (1, ?) on conflict do update set seq = max(seq, excluded.seq)',
    );
    this.#db.immediately(() => {
      for (const { term, at, seq, callId } of rows) insert.run(term, callId ?? `#${seq}`, at, seq, callId);
      note.run(upTo);
    });
  }

  /** Whatever has all of the terms, the newest first. `before`: where the last page ended. */
  find(
    [first = '', ...others]: readonly string[],
    within: {
      readonly from: number;
      readonly to: number;
      readonly before: { readonly at: number; readonly seq: number } | null;
      readonly limit: number;
    },
  ): readonly Found[] {
    const { from, to, before, limit } = within;
    let query = build
      .selectFrom('audit_terms as one')
      .select(['one.at as at', 'one.seq as seq', 'one.call_id as callId'])
      .where('one.term', '=', first)
      .where('one.at', '>=', from)
      .where('one.at', '<', to)
      .orderBy('one.at', 'desc')
      .orderBy('one.seq', 'desc')
      .limit(limit);
    for (const term of others) {
      query = query.where((e) =>
        e.exists(
          e
            .selectFrom('audit_terms as other')
            .select('other.seq')
            .where('other.term', '=', term)
            .whereRef('other.about', '=', 'one.about'),
        ),
      );
    }
    if (before !== null) {
      query = query.where((e) => e(e.refTuple('one.at', 'one.seq'), '<', e.tuple(before.at, before.seq)));
    }
    return this.#db.all(query);
  }

  /** Forgets entries up to and including `seq`. */
  cutOff(seq: number): number {
    return this.#db.run(build.deleteFrom('audit_terms').where('seq', '<=', seq));
  }
}
