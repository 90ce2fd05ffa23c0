import { markLate } from '../core/audit/index.ts';
import type { Backlog, Pending } from './backlog.ts';
import type { ChainEnd } from './chain-end.ts';
import type { Body } from './link.ts';

/** Facts that go to the store together. */
export interface Group {
  readonly facts: readonly Pending[];
  /** Facts that were late and are not reported yet. */
  readonly late: number;
  /** What the record says about itself behind them. */
  readonly report: readonly Body[];
  /** Nothing else waits. */
  readonly isAll: boolean;
}

export interface GroupsParts {
  readonly end: ChainEnd;
  readonly backlog: Backlog;
  /** What is to be said once everything that waited is in the record; so many of it were late. */
  readonly report: (late: number) => readonly Body[];
  /** Nothing is wrong and nothing is to be reported, so groups need not wait for each other. */
  readonly isOrdinary: () => boolean;
}

/** Facts that come together go together. Nobody waits for company: what the store is sent while it writes, it writes next. */
const MAX_BATCH = 512;
/** What is not under way when a commit begins misses it, so a slow disk must not run out of groups. */
const MAX_GROUPS = 64;
const MAX_UNDER_WAY = 8 * MAX_BATCH;

/** The first facts of the backlog, on their way to the end of the chain. */
export class Groups {
  readonly #parts: GroupsParts;
  /** Under way, oldest first. */
  #groups: Group[] = [];
  #underWay = 0;
  #lateUnreported = 0;

  constructor(parts: GroupsParts) {
    this.#parts = parts;
  }

  /** Facts of the backlog. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Sends what waits, behind what is under way. */
  send(): void {
    const { end } = this.#parts;
    while (end.canSend && this.#groups.length < MAX_GROUPS && this.#underWay < MAX_UNDER_WAY) {
      const group = this.#next();
      if (group === null) return;
      this.#groups.push(group);
      this.#underWay += group.facts.length;
      const bodies = group.facts.map(({ at, callId, body, isLate }) => ({
        at,
        callId,
        body: isLate ? markLate(body) : body,
      }));
      end.send([...bodies, ...group.report]);
    }
  }

  /**
   * What has been written, in order: the oldest group under way, or after a failure what the store has of them after all,
   * so that nothing is written twice. Rejects when the store does; the facts stay in the backlog.
   */
  async written(): Promise<readonly Group[]> {
    const { end } = this.#parts;
    if (!end.canSend) {
      const settled = await end.settle();
      const groups = this.#groups.slice(0, settled);
      this.#groups = [];
      this.#underWay = 0;
      for (const group of groups) this.#done(group);
      if (groups.length > 0) return groups;
    }
    this.send();
    if (this.#groups.length === 0) return [];
    await end.oldest();
    const group = this.#groups.shift();
    if (group === undefined) return [];
    this.#underWay -= group.facts.length;
    this.#done(group);
    return [group];
  }

  #done({ facts, late, report }: Group): void {
    this.#parts.backlog.done(facts.length);
    this.#lateUnreported = report.length > 0 ? 0 : late;
  }

  #next(): Group | null {
    const { backlog, report, isOrdinary } = this.#parts;
    const from = this.underWay;
    const facts = backlog.pending.slice(from, from + MAX_BATCH);
    if (facts.length === 0) return null;
    const late = this.#lateUnreported + facts.filter((pending) => pending.isLate).length;
    // What is late goes one group at a time: its report is about all of it.
    if (from > 0 && (late > 0 || !isOrdinary())) return null;
    const isAll = from + facts.length === backlog.size && backlog.isInMemory;
    return { facts, late, report: isAll ? report(late) : [], isAll };
  }
}
