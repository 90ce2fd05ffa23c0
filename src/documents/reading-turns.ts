import type { DocumentFile } from './document-file.ts';
import { ReadingThread, type ReadingThreadParts } from './reading-thread.ts';

/** Whoever has asked once asks again; then the thread is there, and knows the documents. */
const IDLE_MS = 20_000;
/** Characters of documents, also of those that nobody asks for any more: then another thread goes on without them. */
const MAX_HELD = 67_108_864;

/** Somebody has called `overtake()` since; what is newer is asked for anew. */
export type Overtaken = { readonly kind: 'overtaken' };
/** The thread has died, or took too long or too much memory. */
export type Failed = { readonly kind: 'failed'; readonly why: string };

export function isFailed(result: { readonly kind: string }): result is Failed {
  return result.kind === 'failed';
}

/** One job after the other, in a thread that starts with the first and ends when nobody has asked for 20 s. */
export class ReadingTurns {
  readonly #parts: ReadingThreadParts;
  readonly #heapMb: number;
  #thread: ReadingThread | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #overtaken = 0;
  #idle: { cancel(): void } | null = null;
  #isBusy = false;
  #isClosed = false;

  constructor(parts: ReadingThreadParts, heapMb: number) {
    this.#parts = parts;
    this.#heapMb = heapMb;
  }

  /**
   * `files` are what the thread has to know. Never rejects: a job that throws has failed, and the next one has another
   * thread.
   */
  do<T extends { readonly kind: string }>(
    limitMs: number,
    files: readonly DocumentFile[],
    work: (thread: ReadingThread) => Promise<T>,
  ): Promise<T | Failed | Overtaken> {
    const asked = this.#overtaken;
    const isOvertaken = () => this.#isClosed || asked !== this.#overtaken;
    const result = this.#turn.then(async (): Promise<T | Failed | Overtaken> => {
      if (isOvertaken()) return { kind: 'overtaken' };
      this.#idle?.cancel();
      this.#isBusy = true;
      if (this.#thread !== null && this.#thread.slots.held > MAX_HELD) this.#end();
      const thread = (this.#thread ??= new ReadingThread(this.#parts, this.#heapMb));
      const timer = this.#parts.clock.after(limitMs, () => thread.end(`it takes longer than ${limitMs / 1_000} s`));
      try {
        await thread.send(files);
        return await work(thread);
      } catch (error) {
        if (isOvertaken()) return { kind: 'overtaken' };
        this.#end();
        return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
      } finally {
        timer.cancel();
        this.#isBusy = false;
        this.#endWhenIdle();
      }
    });
    this.#turn = result;
    return result;
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
