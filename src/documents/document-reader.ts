import { Worker } from 'node:worker_threads';
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
import type { Work } from '../core/work/index.ts';
import type { Clock } from '../engine/ports.ts';
import type { DocumentFile } from './document-file.ts';
import { Assembly } from './pieces.ts';
import type { DocumentProblem } from './problem.ts';
import type { FromThread, LastPart, ReadJob, ToThread } from './read-protocol.ts';
import { Slices } from './slices.ts';

export interface DocumentReaderParts {
  /** Ids of the prompts that can be played. */
  readonly prompts: ReadonlySet<string>;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  /** Another thread in place of our own. */
  readonly thread?: URL;
  readonly limits?: Partial<typeof LIMITS>;
}

/** A job of an honest house takes seconds at most. */
const LIMITS = { readMs: 300_000, proveMs: 900_000, heapMb: 2_048 };
/** Whoever has saved once saves again; then the thread is there, and knows the documents. */
const IDLE_MS = 20_000;

/** Characters of documents, also of those that nobody asks for any more: then another thread goes on without them. */
const MAX_HELD = 67_108_864;

/** Somebody has called `overtake()` since; what is newer is asked for anew. */
type Overtaken = { readonly kind: 'overtaken' };
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
  return {
    plan: yield* layingPlan(plan, setsTaken(tables)),
    roster: yield* compilingRoster(roster, people, window),
  };
}

/**
 * Reads, checks and proves documents in a thread of its own, so that no document, however big or ill meant, holds up a
 * call. A thread that takes too long or too much memory is ended; its documents are refused.
 */
export class DocumentReader {
  readonly #parts: DocumentReaderParts;
  readonly #limits: typeof LIMITS;
  #thread: Thread | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #overtaken = 0;
  #idle: { cancel(): void } | null = null;
  #isBusy = false;
  #isClosed = false;

  constructor(parts: DocumentReaderParts) {
    this.#parts = parts;
    this.#limits = { ...LIMITS, ...parts.limits };
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
  ): Promise<{ readonly kind: 'proved'; readonly faults: readonly DocumentProblem[] } | Refused | Overtaken> {
    const { now, overrides, inForce = null } = about;
    return this.#inTurn(this.#limits.proveMs, [...files, ...(inForce ?? [])], async (thread) => {
      const slots = files.map((file) => thread.slots.of(file));
      const others = inForce && inForce.map((file) => thread.slots.of(file));
      const last = await thread.run({ kind: 'prove', slots, inForce: others, overrides, now });
      return last.kind === 'proved' ? { kind: 'proved', faults: last.faults } : amiss(last);
    });
  }

  /** Whatever is under way is not wanted any more: it ends as `overtaken`, at once. */
  overtake(): void {
    this.#overtaken += 1;
    if (this.#isBusy) this.#end();
  }

  /** What is under way ends as `overtaken`. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.overtake();
    this.#end();
    await this.#turn;
  }

  #inTurn<T extends { readonly kind: string }>(
    limitMs: number,
    files: readonly DocumentFile[],
    work: (thread: Thread) => Promise<T>,
  ): Promise<T | Refused | Overtaken> {
    const asked = this.#overtaken;
    const isOvertaken = () => this.#isClosed || asked !== this.#overtaken;
    const result = this.#turn.then(async (): Promise<T | Refused | Overtaken> => {
      if (isOvertaken()) return { kind: 'overtaken' };
      this.#idle?.cancel();
      this.#isBusy = true;
      if (this.#thread !== null && this.#thread.slots.held > MAX_HELD) this.#end();
      const thread = (this.#thread ??= new Thread(this.#parts, this.#limits.heapMb));
      const timer = this.#parts.clock.after(limitMs, () => thread.end(`it takes longer than ${limitMs / 1_000} s`));
      try {
        await thread.send(files);
        return await work(thread);
      } catch (error) {
        if (isOvertaken()) return { kind: 'overtaken' };
        this.#end();
        return unread(files, error);
      } finally {
        timer.cancel();
        this.#isBusy = false;
        this.#endWhenIdle();
      }
    });
    this.#turn = result;
    return result;
  }

  #end(): void {
    this.#idle?.cancel();
    this.#thread?.end('something newer was saved');
    this.#thread = null;
  }

  #endWhenIdle(): void {
    this.#idle?.cancel();
    if (this.#thread === null) return;
    this.#thread.rest();
    this.#idle = this.#parts.clock.after(IDLE_MS, () => this.#end());
  }
}

/** An answer to another question. */
function amiss(last: LastPart): never {
  throw new Error(`the reader of documents answered out of turn: ${last.kind}`);
}

/** Refused, for whatever the reason: what is in force is good enough. */
function unread(files: readonly DocumentFile[], error: unknown): Refused {
  const why = error instanceof Error ? error.message : String(error);
  const [largest] = [...files].sort((a, b) => b.text.length - a.text.length);
  const problem = {
    file: largest?.path ?? '',
    line: 1,
    column: 1,
    reason: `the documents could not be read: ${why}`,
    remedy: 'make them smaller or simpler, or undo the last change',
    suggestion: null,
  };
  return { kind: 'refused', problems: [problem] };
}

/** Numbers of the documents that the thread has. */
class Slots {
  readonly #known = new WeakMap<DocumentFile, number>();
  next = 1;
  held = 0;

  know(file: DocumentFile): number {
    this.held += file.text.length;
    this.#known.set(file, this.next);
    return this.next++;
  }

  isKnown(file: DocumentFile): boolean {
    return this.#known.has(file);
  }

  of(file: DocumentFile): number {
    const slot = this.#known.get(file);
    if (slot === undefined) throw new Error(`${file.path} was not sent`);
    return slot;
  }
}

/** One thread, until it ends. */
class Thread {
  readonly slots = new Slots();
  readonly #worker: Worker;
  readonly #clock: DocumentReaderParts['clock'];
  #waiting: { take(part: FromThread): void; fail(error: Error): void } | null = null;
  #ended: Error | null = null;

  constructor(
    { prompts, clock, thread = new URL('./read-worker.ts', import.meta.url) }: DocumentReaderParts,
    heapMb: number,
  ) {
    this.#clock = clock;
    this.#worker = new Worker(thread, {
      workerData: { prompts },
      // Flags of the main program, such as --input-type, need not suit a thread.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    this.#worker.on('message', (part: FromThread) => this.#waiting?.take(part));
    this.#worker.on('error', (error) => this.#died(error));
    this.#worker.on('exit', () => this.#died(new Error('its thread ended')));
  }

  /** Each document once, one at a time. */
  async send(files: readonly DocumentFile[]): Promise<void> {
    this.#worker.ref();
    const slices = new Slices(this.#clock);
    for (const file of files) {
      if (this.slots.isKnown(file)) continue;
      this.#post({ kind: 'put', slot: this.slots.know(file), file });
      await slices.pause();
    }
  }

  async run(job: ReadJob, take: (part: FromThread) => void = () => {}): Promise<LastPart> {
    const slices = new Slices(this.#clock);
    this.#post({ kind: 'start', job });
    for (;;) {
      const part = await this.#nextPart();
      if ('isLast' in part) return part;
      take(part);
      await slices.pause();
    }
  }

  end(why: string): void {
    this.#died(new Error(why));
    void this.#worker.terminate();
  }

  /** Nothing is under way: it keeps no process alive. */
  rest(): void {
    this.#worker.unref();
  }

  #nextPart(): Promise<FromThread> {
    return new Promise((resolve, reject) => {
      this.#waiting = { take: resolve, fail: reject };
      this.#post({ kind: 'next' });
    });
  }

  #post(message: ToThread): void {
    if (this.#ended !== null) throw this.#ended;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(message);
  }

  #died(error: Error): void {
    this.#ended ??= error;
    this.#waiting?.fail(this.#ended);
  }
}
