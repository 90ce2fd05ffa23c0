import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, write, writeFileSync } from 'node:fs';
import type { DialogSnapshot, Logger } from '../sip/index.ts';

/** A dialog and the tags of the app that owns it. */
export interface StoredDialog {
  readonly tag: string;
  readonly atMs: number;
  readonly dialog: DialogSnapshot;
}

/** The file is written anew when most of it is history. */
const rewriteAfterLines = 2_000;
/** A call that nobody has touched for so long is over. */
const forgetAfterMs = 24 * 3_600_000;

/**
 * The dialogs on disk, so that sipd can go on with them after its own end. One line for each change: `+ id sealed`, or
 * `- id` when the dialog is over. They name callers, so they are sealed (AES-256-GCM) with a key made of the control
 * secret, and their ids say nothing. Writing is not waited for: what the last milliseconds changed may be lost.
 */
export class DialogJournal {
  readonly #path: string;
  readonly #logger: Logger;
  /** Made once: Node 24 takes as long to make one as to seal a dialog, and would do so each time. */
  readonly #key: KeyObject;
  readonly #all: () => Iterable<StoredDialog>;
  /** Ids of the dialogs in the file. */
  #stored = new Map<string, string>();
  /** Of this process: its ids and nonces are no other's. */
  #mark = randomBytes(8);
  #count = 0;
  #fd: number | undefined;
  #lines = 0;
  #waiting = '';
  #isWriting = false;

  private constructor(path: string, secret: string, logger: Logger, all: () => Iterable<StoredDialog>) {
    this.#path = path;
    this.#logger = logger;
    this.#all = all;
    this.#key = createSecretKey(createHmac('sha256', secret).update('dialogs on disk').digest());
  }

  /** `all`: what is to be kept, asked when the file is written anew. Also the dialogs that were found. */
  static open(options: {
    readonly path: string;
    readonly secret: string;
    readonly nowMs: number;
    readonly logger: Logger;
    readonly all: () => Iterable<StoredDialog>;
  }): { readonly journal: DialogJournal; readonly found: readonly StoredDialog[] } {
    const { path, secret, nowMs, logger, all } = options;
    const journal = new DialogJournal(path, secret, logger, all);
    const found = journal.#read().filter(({ atMs }) => nowMs - atMs < forgetAfterMs);
    return { journal, found };
  }

  /** Remembers how a dialog is now. */
  keep(stored: StoredDialog): void {
    this.#append(this.#line(stored, this.#stored));
  }

  /** One that was never kept costs nothing. */
  forget(dialog: Pick<DialogSnapshot, 'callId' | 'localTag' | 'remoteTag'>): void {
    const name = nameOf(dialog);
    const id = this.#stored.get(name);
    if (id === undefined) return;
    this.#stored.delete(name);
    this.#append(`- ${id}\n`);
  }

  /** Writes the file anew with nothing but what `all` says. */
  rewrite(): void {
    try {
      // Apart, and under the same ids: if it cannot be written, what is in the old file can still be taken back.
      const rewritten = new Map<string, string>();
      const lines = [...this.#all()].map((stored) => this.#line(stored, rewritten));
      writeFileSync(`${this.#path}.new`, lines.join(''), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      if (this.#fd !== undefined) closeSync(this.#fd);
      this.#fd = openSync(this.#path, 'a', 0o600);
      this.#stored = rewritten;
      this.#lines = lines.length;
      this.#waiting = '';
    } catch (error) {
      // It is tried again after as many lines.
      this.#lines = 0;
      this.#failed(error);
    }
  }

  close(): void {
    this.rewrite();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #append(line: string): void {
    this.#lines++;
    // Nothing is gathered for a file that cannot be written.
    if (this.#fd !== undefined) this.#waiting += line;
    if (this.#isWriting) return;
    if (this.#lines > rewriteAfterLines && this.#lines > 4 * this.#stored.size) this.rewrite();
    this.#write();
  }

  /** One write at a time; what comes meanwhile goes along with the next. */
  #write(): void {
    if (this.#waiting === '' || this.#fd === undefined) return;
    const text = this.#waiting;
    this.#waiting = '';
    this.#isWriting = true;
    write(this.#fd, text, (error) => {
      this.#isWriting = false;
      if (error !== null) return this.#failed(error);
      this.#write();
    });
  }

  #failed(error: unknown): void {
    // Calls go on without it.
    this.#logger.error({ error: (error as Error).message, file: this.#path }, 'dialogs not written');
  }

  #read(): StoredDialog[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'latin1');
    } catch {
      return [];
    }
    const sealed = new Map<string, string>();
    for (const line of text.split('\n')) {
      const [sign, id = '', rest = ''] = line.split(' ');
      if (sign === '+') sealed.set(id, rest);
      else if (sign === '-') sealed.delete(id);
    }
    const found = [...sealed].map(([id, rest]) => this.#opened(id, rest));
    const readable = found.filter((stored) => stored !== undefined);
    // The last line of a process that was killed; or all of them after the secret was changed.
    if (readable.length < found.length) {
      this.#logger.warn({ lines: found.length - readable.length, file: this.#path }, 'dialogs not readable');
    }
    return readable;
  }

  #line(stored: StoredDialog, ids: Map<string, string>): string {
    const name = nameOf(stored.dialog);
    const id = this.#stored.get(name) ?? this.#next().toString('base64url');
    ids.set(name, id);
    return `+ ${id} ${this.#sealed(id, stored)}\n`;
  }

  #sealed(id: string, stored: StoredDialog): string {
    const nonce = this.#next();
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(id));
    const text = Buffer.concat([cipher.update(JSON.stringify(stored)), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
  }

  /** Twelve bytes that never come again with this key. */
  #next(): Buffer {
    if (this.#count === 0xffff_ffff) [this.#mark, this.#count] = [randomBytes(8), 0];
    const bytes = Buffer.alloc(12);
    this.#mark.copy(bytes);
    bytes.writeUInt32BE(++this.#count, 8);
    return bytes;
  }

  #opened(id: string, sealed: string): StoredDialog | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes.length < 28) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12)).setAAD(Buffer.from(id));
      decipher.setAuthTag(bytes.subarray(12, 28));
      const text = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
      return JSON.parse(text.toString()) as StoredDialog;
    } catch {
      return undefined;
    }
  }
}

function nameOf({ callId, localTag, remoteTag }: Pick<DialogSnapshot, 'callId' | 'localTag' | 'remoteTag'>): string {
  return `${callId} ${localTag} ${remoteTag}`;
}
