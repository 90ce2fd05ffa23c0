import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { AppendResult, ChainHead, ChainRow } from '../core/audit/index.ts';
import { type DocumentVersion, PortError, type PortErrorCode } from '../engine/ports.ts';
import type { KeptDocuments } from './keep-documents.ts';
import { type PackedRows, pack } from './packed-rows.ts';
import type { StoreChange, StoreWriter } from './writer.ts';

export type WriterRequest =
  | { readonly kind: 'append'; readonly id: number; readonly after: ChainHead; readonly rows: PackedRows }
  | { readonly kind: 'change'; readonly change: StoreChange }
  /** One of the documents that will be kept; one at a time, for to copy many megabytes takes a while. */
  | { readonly kind: 'document'; readonly file: DocumentVersion['files'][number] }
  /** With the documents sent before, so many. */
  | { readonly kind: 'keep'; readonly id: number; readonly kept: KeptDocuments; readonly count: number }
  /** Answered once the thread has opened the store. */
  | { readonly kind: 'open'; readonly id: number }
  | { readonly kind: 'close'; readonly id: number };

/** Several at a time: what came together is written together. */
export type WriterReply =
  | { readonly id: number; readonly kind: 'done'; readonly result: AppendResult | null }
  | { readonly id: number; readonly kind: 'failed'; readonly code: PortErrorCode; readonly says: string };

interface Waiting {
  resolve(result: AppendResult | null): void;
  reject(error: PortError): void;
}

/**
 * The writer in a thread of its own, so that a disk which hangs in fsync holds up no call. A thread that dies is replaced
 * at the next append; what was under way is rejected.
 */
export class ThreadWriter implements StoreWriter {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #sending: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #closed: Promise<void> | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.#worker = this.#start();
  }

  /** Resolves when the thread is ready, so that the first call does not wait for it. */
  static async open(path: string): Promise<ThreadWriter> {
    const writer = new ThreadWriter(path);
    await writer.#ask((id) => ({ kind: 'open', id }));
    return writer;
  }

  async append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult> {
    const packed = pack(rows);
    const result = await this.#ask((id) => ({ kind: 'append', id, after, rows: packed }), [packed.bytes.buffer]);
    if (result === null) throw new PortError('storeUnavailable', { says: `the store ${this.#path} is closed` });
    return result;
  }

  async keep(kept: KeptDocuments): Promise<void> {
    const sending = this.#sending.then(async () => {
      for (const file of kept.files) {
        this.#post({ kind: 'document', file });
        await setImmediate();
      }
      return this.#ask((id) => ({ kind: 'keep', id, kept: { ...kept, files: [] }, count: kept.files.length }));
    });
    // One after the other, or their documents would be mixed up.
    this.#sending = sending.catch(() => {});
    await sending;
  }

  change(change: StoreChange): void {
    if (this.#closed === undefined) this.#post({ kind: 'change', change });
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    if (this.#worker === undefined) return;
    await this.#ask((id) => ({ kind: 'close', id })).catch(() => null);
    await this.#worker?.terminate();
  }

  #ask(request: (id: number) => WriterRequest, moved: readonly ArrayBuffer[] = []): Promise<AppendResult | null> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post(request(id), moved);
      this.#worker?.ref();
    });
  }

  #post(request: WriterRequest, moved: readonly ArrayBuffer[] = []): void {
    this.#worker ??= this.#start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(request, moved);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./writer-worker.ts', import.meta.url), {
      workerData: { path: this.#path },
      // Flags of the main program, such as --input-type, need not suit a thread.
      execArgv: [],
    });
    // An idle writer keeps no process alive; one with an append under way does (#ask).
    worker.unref();
    worker.on('message', (replies: readonly WriterReply[]) => {
      for (const reply of replies) this.#answered(reply);
      if (this.#waiting.size === 0) worker.unref();
    });
    worker.on('error', (cause) => this.#died(worker, cause));
    worker.on('exit', () => this.#died(worker, undefined));
    return worker;
  }

  #answered(reply: WriterReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'done') waiting?.resolve(reply.result);
    else waiting?.reject(new PortError(reply.code, { says: reply.says }));
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new PortError('storeUnavailable', { cause, says: `the writer of ${this.#path} ended` }));
    }
    this.#waiting.clear();
  }
}
