import { Worker } from 'node:worker_threads';
import type { Clock } from '../engine/ports.ts';
import type { DocumentFile } from './document-file.ts';
import type { FromThread, LastPart, ReadJob, ToThread } from './read-protocol.ts';
import { Slices } from './slices.ts';

/** A thread whose own limit is reached takes the whole process with it at times: so it is looked at before that. */
const LOOK_AT_HEAP_MS = 100;

export interface ReadingThreadParts {
  /** Ids of the prompts that can be played. */
  readonly prompts: ReadonlySet<string>;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  /** Another thread in place of our own. */
  readonly thread?: URL;
}

/** The app's end of one thread that reads documents, until it ends. */
export class ReadingThread {
  readonly slots = new Slots();
  readonly #worker: Worker;
  readonly #clock: ReadingThreadParts['clock'];
  #waiting: { take(part: FromThread): void; fail(error: Error): void } | null = null;
  #ended: Error | null = null;
  readonly #heapBytes: number;

  constructor(
    { prompts, clock, thread = new URL('./read-worker.ts', import.meta.url) }: ReadingThreadParts,
    heapMb: number,
  ) {
    this.#clock = clock;
    this.#worker = new Worker(thread, {
      workerData: { prompts },
      // Flags of the main program, such as --input-type, need not suit a thread.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 2 * heapMb },
    });
    this.#heapBytes = heapMb * 1_048_576;
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
    const watch = { isOver: false };
    this.#watchHeap(watch);
    try {
      for (;;) {
        const part = await this.#nextPart();
        if ('isLast' in part) return part;
        take(part);
        await slices.pause();
      }
    } finally {
      watch.isOver = true;
    }
  }

  #watchHeap(watch: { readonly isOver: boolean }): void {
    this.#clock.after(LOOK_AT_HEAP_MS, () => {
      if (watch.isOver || this.#ended !== null) return;
      const looked = this.#worker.getHeapStatistics().then(({ used_heap_size: bytes }) => {
        if (bytes <= this.#heapBytes) this.#watchHeap(watch);
        else this.end(`it takes more than ${this.#heapBytes / 1_048_576} MB of memory`);
      });
      // It ended meanwhile.
      looked.catch(() => {});
    });
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
