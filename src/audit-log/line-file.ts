import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

const CHUNK_BYTES = 256 * 1024;
/** A longer line is nothing that was written here, and is passed over. */
const MAX_LINE_BYTES = 128 * 1024;
const LF = 0x0a;

/** A file to which lines are only ever added. A line that a power cut has torn stands for itself and harms no other. */
export class LineFile {
  readonly path: string;
  #file: FileHandle | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** Durable when it resolves; one after the other. Rejects when the disk does; then some of the lines may be there. */
  append(lines: readonly string[]): Promise<void> {
    const appended = this.#last.then(() => this.#append(lines));
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  /** Whole lines, the last one first, of the end of the file only. Rejects when it is there and cannot be read. */
  async newest(): Promise<readonly string[]> {
    const size = await this.size();
    if (size === 0) return [];
    const lines: string[] = [];
    for await (const line of this.lines(size, Math.max(0, size - 2 * MAX_LINE_BYTES))) lines.push(line);
    return lines.reverse();
  }

  /** Bytes; 0 when there is no such file. */
  async size(): Promise<number> {
    return (await this.#read((file) => file.stat()))?.size ?? 0;
  }

  /** Every whole line up to the byte `end`, in order. */
  async *lines(end: number, start = 0): AsyncGenerator<string> {
    let rest: Buffer = Buffer.alloc(0);
    for (let at = start; at < end; ) {
      const wanted = Math.min(CHUNK_BYTES, end - at);
      const read = await this.#read((file) => file.read(Buffer.alloc(wanted), 0, wanted, at));
      if (read === null || read.bytesRead === 0) return;
      at += read.bytesRead;
      const bytes = Buffer.concat([rest, read.buffer.subarray(0, read.bytesRead)]);
      const whole = bytes.lastIndexOf(LF) + 1;
      for (const line of bytes.toString('utf8', 0, whole).split('\n')) if (line !== '') yield line;
      rest = bytes.length - whole > MAX_LINE_BYTES ? Buffer.alloc(0) : bytes.subarray(whole);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #append(lines: readonly string[]): Promise<void> {
    const file = await this.#opened();
    const { size } = await file.stat();
    const last = Buffer.alloc(1, LF);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    const bytes = Buffer.from(`${last[0] === LF ? '' : '\n'}${lines.map((line) => `${line}\n`).join('')}`);
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten < bytes.length) throw new Error(`${this.path}: the disk is full`);
    await file.datasync();
  }

  /** The file of this name, also after somebody has moved or deleted the one that was written so far. */
  async #opened(): Promise<FileHandle> {
    const held = this.#file;
    if (held !== undefined) {
      const [ours, named] = await Promise.all([held.stat(), stat(this.path).catch(() => null)]);
      if (named !== null && ours.ino === named.ino && ours.dev === named.dev) return held;
      await this.close();
    }
    const isNew = (await stat(this.path).catch(() => null)) === null;
    const file = await open(this.path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600);
    this.#file = file;
    // Its name has to outlive a power cut as well as its lines.
    if (isNew) await syncFolder(dirname(this.path));
    return file;
  }

  /** null when there is no such file. */
  async #read<T>(work: (file: FileHandle) => Promise<T>): Promise<T | null> {
    let file: FileHandle;
    try {
      file = await open(this.path, 'r');
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return null;
      throw error;
    }
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  }
}
