/** The signalling side's handle on one media thread. */
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerNumbers, WorkerSettings } from './messages.ts';
import type { MessagePort } from 'node:worker_threads';

export class MediaWorker {
  readonly #worker: Worker;
  readonly #listeners = new Map<string, (message: FromWorker) => void>();
  readonly #exited: Promise<void>;
  readonly #queries = new Map<number, (numbers: WorkerNumbers) => void>();
  #nextQuery = 1;
  #isClosed = false;

  /** `failed` is told when the thread ends by itself: its legs have no audio any more. */
  constructor(settings: WorkerSettings, failed: (error: Error) => void) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: settings,
      // Packets die young: a small nursery is collected often and quickly, which the 20 ms clock does not notice.
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    });
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'measured') this.#measured(message);
      if ('leg' in message) this.#listeners.get(message.leg)?.(message);
    });
    this.#worker.on('error', failed);
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        resolve();
        if (!this.#isClosed) failed(new Error('the media thread has ended'));
      });
    });
  }

  /** Legs and conferences that it has. */
  get stations(): number {
    return this.#listeners.size;
  }

  listen(leg: string, listener: (message: FromWorker) => void): void {
    this.#listeners.set(leg, listener);
  }

  /** Rejects when the thread ends before it answers. */
  async measure(): Promise<WorkerNumbers> {
    const query = this.#nextQuery++;
    const { promise, resolve } = Promise.withResolvers<WorkerNumbers>();
    this.#queries.set(query, resolve);
    this.tell({ type: 'measure', query });
    const ended = this.#exited.then(() => {
      throw new Error('the media thread has ended');
    });
    return Promise.race([promise, ended]);
  }

  #measured({ query, numbers }: FromWorker & { type: 'measured' }): void {
    this.#queries.get(query)?.(numbers);
    this.#queries.delete(query);
  }

  forget(leg: string): void {
    this.#listeners.delete(leg);
  }

  tell(message: ToWorker, transfer: readonly MessagePort[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Resolves when all recordings are complete and the thread has ended. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.tell({ type: 'close' });
    }
    await this.#exited;
  }
}
