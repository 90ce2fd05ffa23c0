/**
 * The media threads. Legs of one call share one: what crosses from thread to thread is copied, and costs more than all else that is done to a packet.
 * Those that are asked for are there from the start. Each other is started beside them when they have enough to do, and gets legs from when it is up: a
 * thread takes memory and a while to start, and may not start at all where file descriptors are short, when calls matter most.
 */
import { MediaWorker } from './media-worker.ts';
import type { WorkerNumbers, WorkerSettings } from './messages.ts';

/** With fewer legs each, another thread would only take time from theirs while it starts. */
const MANY_LEGS = 20;
/** After a thread that did not start, as many legs do without before the next is tried. */
const REST_LEGS = 100;

export interface WorkerEvents {
  /** A thread has ended by itself: its legs have no audio any more. */
  failed(error: Error): void;
  /** There is one thread less than there should be. */
  notStarted(error: Error): void;
}

export class MediaWorkers {
  readonly #settings: WorkerSettings;
  readonly #events: WorkerEvents;
  /** Those from the start, and others that are up. */
  readonly #workers: MediaWorker[] = [];
  readonly #most: number;
  /** Where each call is that has named itself. */
  readonly #calls = new Map<string, { readonly worker: MediaWorker; legs: number }>();

  #growing: MediaWorker | undefined;
  #restLegs = 0;
  #isClosed = false;

  constructor(
    threads: { readonly first: number; readonly most: number },
    settings: WorkerSettings,
    events: WorkerEvents,
  ) {
    this.#most = threads.most;
    this.#settings = settings;
    this.#events = events;
    for (let i = 0; i < threads.first; i++)
      this.#workers.push(new MediaWorker(settings, (error) => events.failed(error)));
  }

  /** For another leg of this call, or for something that belongs to none. Whoever names a call says `leave` once for each leg. */
  pick(call?: string): MediaWorker {
    if (call === undefined) return this.#least();
    const known = this.#calls.get(call);
    const entry = known ?? { worker: this.#least(), legs: 0 };
    if (known === undefined) this.#calls.set(call, entry);
    entry.legs += 1;
    return entry.worker;
  }

  leave(call: string): void {
    const entry = this.#calls.get(call);
    if (entry === undefined) return;
    entry.legs -= 1;
    if (entry.legs === 0) this.#calls.delete(call);
  }

  measure(): Promise<readonly WorkerNumbers[]> {
    return Promise.all(this.#workers.map((worker) => worker.measure()));
  }

  /** Resolves when all recordings are complete and the threads have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      [...this.#workers, ...(this.#growing === undefined ? [] : [this.#growing])].map((one) => one.close()),
    );
  }

  #least(): MediaWorker {
    const least = this.#workers.reduce((a, b) => (b.stations < a.stations ? b : a));
    if (least.stations >= MANY_LEGS && this.#workers.length < this.#most) this.#grow();
    return least;
  }

  #grow(): void {
    if (this.#growing !== undefined || this.#isClosed) return;
    if (this.#restLegs > 0) {
      this.#restLegs -= 1;
      return;
    }
    let isUp = false;
    try {
      const worker = new MediaWorker(this.#settings, (error) => {
        if (isUp) this.#events.failed(error);
        else this.#notStarted(error);
      });
      this.#growing = worker;
      // It answers when all of its code is there.
      worker.measure().then(
        () => {
          isUp = true;
          this.#growing = undefined;
          this.#workers.push(worker);
        },
        (error: Error) => this.#notStarted(error),
      );
    } catch (error) {
      this.#notStarted(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** May be told several times of one thread. */
  #notStarted(error: Error): void {
    if (this.#restLegs > 0 || this.#isClosed) return;
    this.#growing = undefined;
    this.#restLegs = REST_LEGS;
    this.#events.notStarted(error);
  }
}
