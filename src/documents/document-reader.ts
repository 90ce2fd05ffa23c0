import path from 'node:path';
import {
  setsTaken,
  layingPlan,
  type CompiledPlan,
  type PatternTables,
  type PlanSource,
} from '../core/dialplan/index.ts';
import {
  type CompiledRoster,
  compilingRoster,
  type PackedPeople,
  type RosterSource,
  type ShiftOverride,
} from '../core/oncall/index.ts';
import type { Instant, Span } from '../core/time/index.ts';
import type { Work } from '../core/steps/index.ts';
import type { DocumentFile } from './document-file.ts';
import { Assembly } from './pieces.ts';
import type { DocumentProblem } from './problem.ts';
import type { LastPart, Proved } from './read-protocol.ts';
import type { ReadingThread, ReadingThreadParts } from './reading-thread.ts';
import { isFailed, type Overtaken, ReadingTurns } from './reading-turns.ts';

export interface DocumentReaderParts extends ReadingThreadParts {
  readonly limits?: Partial<typeof LIMITS>;
}

/** A job of an honest house takes seconds at most. */
const LIMITS = { readMs: 300_000, proveMs: 900_000, heapMb: 1_536 };
type Refused = { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

export interface GoodDocuments {
  readonly kind: 'good';
  readonly files: readonly DocumentFile[];
  /** Content hashes. */
  readonly plan: string;
  readonly roster: string;
  readonly source: ReadSource;
}

/** Checked documents, and ready for use but for look-up tables. */
export interface ReadSource {
  readonly plan: PlanSource;
  readonly tables: readonly PatternTables[];
  /** Its people stand in their book alone. */
  readonly roster: RosterSource;
  readonly people: PackedPeople;
}

export interface FolderContent {
  readonly kind: 'folders';
  readonly files: readonly DocumentFile[];
  /** Content hash of the plan in the folder. */
  readonly plan: string;
  readonly problems: readonly DocumentProblem[];
}

/** Makes plan and roster of what was read, a little at a time. */
export function* compilingSource(
  { plan, tables, roster, people }: ReadSource,
  window: Span,
): Work<{ readonly plan: CompiledPlan; readonly roster: CompiledRoster }> {
  const compiled = yield* compilingRoster(roster, people, window);
  return {
    plan: yield* layingPlan(plan, { makeSet: setsTaken(tables), roster: compiled }),
    roster: compiled,
  };
}

/**
 * Reads, checks and proves documents in a thread of its own, so that no document, however big or ill meant, holds up a
 * call. A thread that takes too long or too much memory is ended; its documents are refused.
 */
export class DocumentReader {
  readonly #turns: ReadingTurns;
  readonly #limits: typeof LIMITS;

  constructor({ limits, ...parts }: DocumentReaderParts) {
    this.#limits = { ...LIMITS, ...limits };
    this.#turns = new ReadingTurns(parts, this.#limits.heapMb);
  }

  /** What stands in both folders, as far as it can be read. */
  folders(folders: {
    readonly dialplans: string;
    readonly oncall: string;
  }): Promise<FolderContent | Refused | Overtaken> {
    return this.#inTurn(this.#limits.readMs, [], async (thread) => {
      const files: DocumentFile[] = [];
      const job = { kind: 'folders', ...folders, firstSlot: thread.slots.next } as const;
      const last = await thread.run(job, (part) => {
        if (part.kind !== 'file') return;
        thread.slots.know(part.file);
        files.push(part.file);
      });
      return last.kind === 'folders'
        ? { kind: 'folders', files, plan: last.plan, problems: last.problems }
        : amiss(last);
    });
  }

  /** `inForce`: where some files are broken, the others with these in their place, or refused. */
  check(
    files: readonly DocumentFile[],
    { now, inForce = null }: { readonly now: Instant; readonly inForce?: readonly DocumentFile[] | null },
  ): Promise<GoodDocuments | Refused | Overtaken> {
    const given = [...files, ...(inForce ?? [])];
    return this.#inTurn(this.#limits.readMs, given, async (thread) => {
      const assembly = new Assembly();
      const tables: PatternTables[] = [];
      let people: PackedPeople | null = null;
      const slots = files.map((file) => thread.slots.of(file));
      const others = inForce && inForce.map((file) => thread.slots.of(file));
      const last = await thread.run({ kind: 'check', slots, inForce: others, now }, (part) => {
        if (part.kind === 'source') assembly.take(part.piece);
        else if (part.kind === 'tables') tables.push(part.tables);
        else if (part.kind === 'people') people = part.people;
      });
      if (last.kind === 'refused') return last;
      if (last.kind !== 'good' || people === null) return amiss(last);
      const { plan, roster } = assembly.whole() as Pick<ReadSource, 'plan' | 'roster'>;
      const used = last.slots.map((slot) => given.find((file) => thread.slots.of(file) === slot)!);
      return {
        kind: 'good',
        files: used,
        plan: last.plan,
        roster: last.roster,
        source: { plan, roster, tables, people },
      };
    });
  }

  /** What is wrong with good documents for 90 days; with `inForce`, only what is not wrong with those already. */
  prove(
    files: readonly DocumentFile[],
    about: {
      readonly now: Instant;
      readonly overrides: readonly ShiftOverride[];
      readonly inForce?: readonly DocumentFile[] | null;
    },
  ): Promise<({ readonly kind: 'proved' } & Proved) | Refused | Overtaken> {
    const { now, overrides, inForce = null } = about;
    return this.#inTurn(this.#limits.proveMs, [...files, ...(inForce ?? [])], async (thread) => {
      const slots = files.map((file) => thread.slots.of(file));
      const others = inForce && inForce.map((file) => thread.slots.of(file));
      const last = await thread.run({ kind: 'prove', slots, inForce: others, overrides, now });
      return last.kind === 'proved' ? last : amiss(last);
    });
  }

  /** Whatever is under way is not wanted any more: it ends as `overtaken`, at once. */
  overtake(): void {
    this.#turns.overtake();
  }

  /** What is under way ends as `overtaken`. May be called twice. */
  close(): Promise<void> {
    return this.#turns.close();
  }

  async #inTurn<T extends { readonly kind: string }>(
    limitMs: number,
    files: readonly DocumentFile[],
    work: (thread: ReadingThread) => Promise<T>,
  ): Promise<T | Refused | Overtaken> {
    const result = await this.#turns.do(limitMs, files, work);
    return isFailed(result) ? unread(files, result.why) : result;
  }
}

/** An answer to another question. */
function amiss(last: LastPart): never {
  throw new Error(`the reader of documents answered out of turn: ${last.kind}`);
}

/** Refused, for whatever the reason: what is in force is good enough. */
function unread(files: readonly DocumentFile[], why: string): Refused {
  // Which of them is to blame nobody can say.
  const [first] = files;
  const problem = {
    file: first === undefined ? '' : path.dirname(first.path),
    line: 1,
    column: 1,
    reason: `the documents could not be read: ${why}`,
    remedy: 'make them smaller or simpler, or undo the last change',
    suggestion: null,
  };
  return { kind: 'refused', problems: [problem] };
}
