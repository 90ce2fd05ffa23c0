/**
 * The media threads. Legs of one call share one: what crosses from thread to thread is copied, and costs more than all else that is done to a packet.
 * The first is there from the start, each other when it is needed.
 */
import { MediaWorker } from './media-worker.ts';
import type { WorkerNumbers, WorkerSettings } from './messages.ts';

export class MediaWorkers {
  readonly #settings: WorkerSettings;
  readonly #failed: (error: Error) => void;
  readonly #workers: MediaWorker[] = [];
  readonly #most: number;
  /** Where each call is that has named itself. */
  readonly #calls = new Map<string, { readonly worker: MediaWorker; legs: number }>();

  /** `failed` is told when a thread ends by itself: its legs have no audio any more. */
  constructor(most: number, settings: WorkerSettings, failed: (error: Error) => void) {
    this.#most = most;
    this.#settings = settings;
    this.#failed = failed;
    this.#start();
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
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  #least(): MediaWorker {
    const least = this.#workers.reduce((a, b) => (b.stations < a.stations ? b : a));
    return least.stations > 0 && this.#workers.length < this.#most ? this.#start() : least;
  }

  #start(): MediaWorker {
    const worker = new MediaWorker(this.#settings, this.#failed);
    this.#workers.push(worker);
    return worker;
  }
}
