import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import type { Log } from './ports.ts';

/** Written anew with what still counts when it is as long as this, and twice as long as what counted then. */
const leastBytes = 256 * 1024;

/**
 * Lines for the process after this one, in a file for its owner only. Not synced to the disk: whatever ends the machine
 * ends what they tell of too. A file that cannot be used is logged, and done without: a full disk must not stop a call.
 */
export class KeptLines {
  readonly #path: string | undefined;
  readonly #what: string;
  readonly #log: Log;
  readonly #all: () => Iterable<string>;
  #file: number | null = null;
  #bytes = 0;
  #mostBytes = leastBytes;

  /** `path` absent: nothing is kept. `all`: every line that counts now. `what`: for the log. */
  constructor(path: string | undefined, parts: { what: string; log: Log; all: () => Iterable<string> }) {
    this.#path = path;
    this.#what = parts.what;
    this.#log = parts.log;
    this.#all = parts.all;
    this.#try(() => this.#rewrite());
  }

  /** What a process before this one has written; nothing if there is no such file. */
  static read(path: string | undefined): readonly string[] {
    if (path === undefined) return [];
    try {
      return readFileSync(path, 'utf8').split('\n');
    } catch {
      return [];
    }
  }

  write(line: string): void {
    const file = this.#file;
    if (file === null) return;
    this.#try(() => {
      if (this.#bytes > this.#mostBytes) this.#rewrite();
      else this.#bytes += writeSync(file, `${line}\n`, null, 'utf8');
    });
  }

  /** Leaves no file behind where nothing counts any more. */
  close(): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    this.#file = null;
    if (this.#path !== undefined && [...this.#all()].length === 0) rmSync(this.#path, { force: true });
  }

  /** In another file first: a process that is killed in between leaves the old one. */
  #rewrite(): void {
    if (this.#path === undefined) return;
    const file = openSync(`${this.#path}.new`, 'w', 0o600);
    const text = [...this.#all()].map((line) => `${line}\n`).join('');
    try {
      writeFileSync(file, text);
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    this.#bytes = Buffer.byteLength(text);
    this.#mostBytes = Math.max(leastBytes, 2 * this.#bytes);
    if (this.#file !== null) closeSync(this.#file);
    this.#file = file;
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.warn({ err: error }, `${this.#what} not kept`);
      this.close();
    }
  }
}
