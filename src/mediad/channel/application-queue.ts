import { INSTANT_APPLICATIONS, NO_RESPONSE } from './applications/application.ts';

export interface QueuedCall {
  readonly application: string;
  readonly arguments: string;
  readonly eventUuid: string;
}

export interface ApplicationQueueParts {
  readonly run: (call: QueuedCall, signal: AbortSignal) => Promise<string>;
  readonly onStarted: (call: QueuedCall, isBeside: boolean) => void;
  /** Once for each that was taken, whatever became of it. */
  readonly onCompleted: (call: QueuedCall, response: string) => void;
  /** Something runs now, or nothing does any more. */
  readonly onActivity: () => void;
}

const MAX_WAITING = 1000;
/** A disk that does not answer must not keep a channel for ever. */
const MAX_ENDING_MS = 5000;

/** The applications of a channel: one runs, the others wait their turn. */
export class ApplicationQueue {
  readonly #parts: ApplicationQueueParts;
  readonly #waiting: QueuedCall[] = [];
  #running: { readonly call: QueuedCall; readonly abort: AbortController } | undefined;
  /** Set by `close`. */
  #onEnded: (() => void) | undefined;

  constructor(parts: ApplicationQueueParts) {
    this.#parts = parts;
  }

  get isIdle(): boolean {
    return this.#running === undefined && this.#waiting.length === 0;
  }

  get running(): string | undefined {
    return this.#running?.call.application;
  }

  /** False when too many wait, or after `close`. */
  execute(call: QueuedCall): boolean {
    if (this.#onEnded !== undefined || this.#waiting.length >= MAX_WAITING) return false;
    if (this.#mayOvertake(call.application)) this.#runBeside(call);
    else this.#waiting.push(call);
    this.#runNext();
    return true;
  }

  dropWaiting(): void {
    for (const call of this.#waiting.splice(0)) this.#parts.onCompleted(call, NO_RESPONSE);
  }

  /** Ends what runs; the next one begins when it has ended. */
  interrupt(): void {
    this.#running?.abort.abort();
  }

  /** Nothing begins any more. `onEnded`: what ran has ended, which may have had a file to finish, and all are completed. */
  close(onEnded: () => void): void {
    this.#onEnded = onEnded;
    if (this.#running === undefined) return this.#ended(onEnded);
    this.interrupt();
    setTimeout(() => this.#giveUpRunning(), MAX_ENDING_MS).unref();
  }

  /**
   * As in FreeSWITCH, what takes no time does not wait for a prompt that may never end; and nothing makes a hang-up wait.
   * It still never overtakes what was sent before it and has not begun.
   */
  #mayOvertake(application: string): boolean {
    if (application === 'hangup') return true;
    return this.#running !== undefined && this.#waiting.length === 0 && INSTANT_APPLICATIONS.has(application);
  }

  #runBeside(call: QueuedCall): void {
    this.#parts.onStarted(call, true);
    const done = (response: string) => this.#parts.onCompleted(call, response);
    this.#parts.run(call, new AbortController().signal).then(done, (error: unknown) => done(failureOf(error)));
  }

  #runNext(): void {
    if (this.#running !== undefined || this.#onEnded !== undefined) return;
    const call = this.#waiting.shift();
    if (call === undefined) return this.#parts.onActivity();
    const abort = new AbortController();
    this.#running = { call, abort };
    this.#parts.onStarted(call, false);
    this.#parts.onActivity();
    this.#parts.run(call, abort.signal).then(
      (response) => this.#finished(call, response),
      (error: unknown) => this.#finished(call, failureOf(error)),
    );
  }

  #finished(call: QueuedCall, response: string): void {
    if (this.#running?.call !== call) return;
    this.#running = undefined;
    this.#parts.onCompleted(call, response);
    if (this.#onEnded === undefined) this.#runNext();
    else this.#ended(this.#onEnded);
  }

  #giveUpRunning(): void {
    if (this.#running !== undefined) this.#finished(this.#running.call, NO_RESPONSE);
  }

  #ended(onEnded: () => void): void {
    this.dropWaiting();
    onEnded();
  }
}

function failureOf(error: unknown): string {
  return `-ERR ${error instanceof Error ? error.message : String(error)}`;
}
