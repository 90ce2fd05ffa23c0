import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { Log } from './ports.ts';

/** `theirs`: a caller waits for our answer. `ours`: a phone rings because we asked it to. */
export type Whose = 'theirs' | 'ours';

export interface OpenInvite {
  readonly whose: Whose;
  /** The signalling server's id of the transaction. */
  readonly id: string;
}

/** Rewritten with what is still open when it is as long as this. */
const maxBytes = 256 * 1024;

/**
 * INVITEs without a final answer, in a file that outlives this process: a signalling server may not know that nobody
 * will ever answer the caller, or stop the phone, of an app that was killed (drachtio-server 0.9.10 does not); the next
 * app does it. Ids only, no numbers. Not synced to the disk: the machine's own death ends the signalling server too.
 */
export class OpenInvites {
  /** Of a process before this one; `over` when they are dealt with. */
  readonly left: readonly OpenInvite[];
  readonly #open = new Map<string, Whose>();
  readonly #log: Log;
  readonly #path: string | undefined;
  #file: number | null = null;
  #bytes = 0;

  /** `path` absent: nothing is kept. A file that cannot be used is logged and does without. */
  constructor(path: string | undefined, log: Log) {
    this.#log = log;
    this.#path = path;
    this.left = path === undefined ? [] : readLeft(path);
    if (path === undefined) return;
    this.#try(() => {
      this.#file = openSync(path, 'w', 0o600);
    });
    for (const { whose, id } of this.left) this.began(whose, id);
  }

  began(whose: Whose, id: string | undefined): void {
    if (id === undefined || !idForm.test(id) || this.#open.has(id)) return;
    this.#open.set(id, whose);
    this.#write(lineOf(whose, id));
  }

  over(id: string | undefined): void {
    if (id !== undefined && this.#open.delete(id)) this.#write(`- ${id}\n`);
  }

  /** Leaves no file behind where nothing is open. */
  close(): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    this.#file = null;
    if (this.#path !== undefined && this.#open.size === 0) rmSync(this.#path, { force: true });
  }

  #write(line: string): void {
    const file = this.#file;
    if (file === null) return;
    this.#try(() => {
      if (this.#bytes > maxBytes) {
        ftruncateSync(file);
        this.#bytes = writeSync(file, [...this.#open].map(([id, whose]) => lineOf(whose, id)).join(''), 0);
      } else this.#bytes += writeSync(file, line, this.#bytes);
    });
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      // A full disk must not stop a call; what is lost is a courtesy after our own death.
      this.#log.warn({ err: error }, 'open INVITEs not kept');
      this.close();
    }
  }
}

const idForm = /^[A-Za-z0-9-]{1,64}$/;

function lineOf(whose: Whose, id: string): string {
  return `${whose === 'theirs' ? '<' : '>'} ${id}\n`;
}

function readLeft(path: string): readonly OpenInvite[] {
  const open = new Map<string, Whose>();
  for (const line of textOf(path).split('\n')) {
    const [sign = '', id = ''] = line.split(' ');
    if (!idForm.test(id)) continue;
    if (sign === '-') open.delete(id);
    else if (sign === '<' || sign === '>') open.set(id, sign === '<' ? 'theirs' : 'ours');
  }
  return [...open].map(([id, whose]) => ({ id, whose }));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
