import type { MediaWorker } from './media-worker.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { Requests } from './requests.ts';

/** What the signalling side has of something that is told things by its name in a worker: a leg, or a conference. */
export class Station {
  readonly worker: MediaWorker;
  readonly name: string;
  readonly requests: Requests;
  #isClosed = false;
  /** The worker has said so: nothing but recordings will be heard of it. */
  #isEnded = false;

  /** `told`: with whatever is no answer to a request. */
  constructor(worker: MediaWorker, name: string, told: (message: FromWorker) => void) {
    this.worker = worker;
    this.name = name;
    this.requests = new Requests(name, (message) => this.tell(message));
    worker.listen(name, (message) => {
      if (this.requests.told(message)) this.#forgetIfDone();
      else told(message);
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** False: it is closed, and nothing answers. */
  tell(message: ToWorker): boolean {
    if (!this.#isClosed) this.worker.tell(message);
    return !this.#isClosed;
  }

  /** Running plays and recordings end and still report. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.tell({ type: 'closeLeg', leg: this.name });
    this.#isClosed = true;
  }

  /** The worker has closed it: plays are over; recordings still finish their file. */
  ended(): void {
    this.#isClosed = true;
    this.#isEnded = true;
    this.requests.endPlays();
    this.#forgetIfDone();
  }

  #forgetIfDone(): void {
    if (this.#isEnded && !this.requests.isRecording) this.worker.forget(this.name);
  }
}
