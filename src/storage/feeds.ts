import type { Instant } from '../core/time/index.ts';
import type { DocumentVersion, RosterFeeds } from '../engine/ports.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

/** What other systems published last and could be believed, as documents; and why something newer was not. */
export class SqliteFeeds implements RosterFeeds {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** Another number whenever a feed was taken, by whichever process. */
  revision(): number {
    const query = build.selectFrom('roster_feeds').select((e) => e.fn.max('revision').as('revision'));
    return this.#db.first(query)?.revision ?? 0;
  }

  documents(): DocumentVersion['files'] {
    const rows = this.#db.all(build.selectFrom('roster_feeds').selectAll().orderBy('feed'));
    return rows.flatMap(({ feed, document }) => {
      return document === null ? [] : [{ kind: 'roster' as const, path: `feed:${feed}`, text: document }];
    });
  }

  take(feed: string, document: string, at: Instant): void {
    this.#db.immediately(() => {
      const row = { document, taken_at: at, refused_because: null, refused_at: null, revision: this.revision() + 1 };
      const insert = build.insertInto('roster_feeds').values({ feed, ...row });
      this.#db.run(insert.onConflict((c) => c.column('feed').doUpdateSet(row)));
    });
  }

  /** True when this is news: an alert is raised once, not with every look. */
  refuse(feed: string, because: string, at: Instant): boolean {
    return this.#db.immediately(() => {
      const known = this.#db.first(build.selectFrom('roster_feeds').selectAll().where('feed', '=', feed));
      const wasGood = known === undefined || known.refused_because === null;
      const row = { refused_because: because, refused_at: wasGood ? at : known.refused_at };
      const insert = build
        .insertInto('roster_feeds')
        .values({ feed, document: null, taken_at: null, revision: 0, ...row });
      this.#db.run(insert.onConflict((c) => c.column('feed').doUpdateSet(row)));
      return wasGood;
    });
  }

  /** It is as it was when it was taken. True when that is news. */
  confirm(feed: string): boolean {
    const update = build.updateTable('roster_feeds').set({ refused_because: null, refused_at: null });
    return this.#db.run(update.where('feed', '=', feed).where('refused_because', 'is not', null)) === 1;
  }
}
