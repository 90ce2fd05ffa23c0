import type { Clock } from '../engine/ports.ts';
import type { DocumentsOptions } from './options.ts';
import { watchFolders } from './watch-folders.ts';

export interface FolderNewsParts {
  readonly options: DocumentsOptions;
  readonly clock: Pick<Clock, 'after'>;
  /** Of everything that is to be read, as it is now. */
  fingerprint(): Promise<string>;
  /** With every look, whether there is news or not. */
  onLook(): void;
  /** The files are others than those that were checked, or are being checked. */
  onNews(print: string): void;
}

/** A write takes a few of these: truncate, write, rename. */
const SETTLE_MS = 100;

type Cancel = { cancel(): void } | null;

/** Sees by the notices of the file system, and by looking, that the documents were changed and are written whole. */
export class FolderNews {
  readonly #parts: FolderNewsParts;
  #stopWatching = (): void => {};
  #poll: Cancel = null;
  #settle: Cancel = null;
  #seen = '';
  #looking: string | null = null;
  #isClosed = false;

  constructor(parts: FolderNewsParts) {
    this.#parts = parts;
  }

  /** Of the files as they were last checked, whatever came of it. */
  get seen(): string {
    return this.#seen;
  }

  isSeen(print: string): void {
    this.#seen = print;
  }

  /** Of the files that are being checked. */
  get looking(): string | null {
    return this.#looking;
  }

  isOver(print: string): void {
    if (this.#looking === print) this.#looking = null;
  }

  watch(): void {
    const { dialplans, oncall } = this.#parts.options;
    this.#stopWatching = watchFolders([dialplans, oncall], () => this.settle());
    // Sees what the watch does not.
    this.#look();
  }

  /** Looks when the writing is over; each notice starts the wait again. */
  settle(): void {
    if (this.#isClosed) return;
    this.#settle?.cancel();
    this.#settle = this.#parts.clock.after(SETTLE_MS, () => {
      this.#settle = null;
      void this.#tell();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#poll?.cancel();
    this.#settle?.cancel();
    this.#stopWatching();
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#poll = this.#parts.clock.after(this.#parts.options.pollMs, () => {
      this.#parts.onLook();
      void this.#parts.fingerprint().then((print) => {
        if (this.#isNews(print) && this.#settle === null) this.settle();
        this.#look();
      });
    });
  }

  async #tell(): Promise<void> {
    const print = await this.#parts.fingerprint();
    if (this.#isClosed || !this.#isNews(print)) return;
    this.#looking = print;
    this.#parts.onNews(print);
  }

  #isNews(print: string): boolean {
    return print !== (this.#looking ?? this.#seen);
  }
}
