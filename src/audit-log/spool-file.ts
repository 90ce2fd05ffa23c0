import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/**
 * Facts that wait for the store, in order, so that they outlive this process. One line each: HMAC, space, body; the first
 * line names the link that the chain ended with. Operations run one after the other, in the order they were asked for.
 */
export interface SpoolRead {
  /** What can be trusted; bodies in order. */
  readonly bodies: readonly string[];
  /** Lines that were torn or altered. */
  readonly damaged: number;
  /** Where to read on. */
  readonly next: number;
  readonly isEnd: boolean;
}

const MAX_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const MAC_CHARACTERS = 43;

export class SpoolFile {
  readonly #path: string;
  readonly #key: KeyObject;
  #file: FileHandle | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #size = 0;
  /** What the disk said when it was asked to make lines durable; they cannot be trusted to outlive a power cut. */
  #fault: Error | null = null;
  /** It was to be emptied, and may still have what it had. */
  #isStale = false;
  #onFault: (error: Error) => void = () => {};

  private constructor(path: string, key: Uint8Array) {
    this.#path = path;
    this.#key = createSecretKey(key);
  }

  /** Rejects when the file cannot be opened. */
  static async open(path: string, key: Uint8Array): Promise<SpoolFile> {
    const spool = new SpoolFile(path, key);
    const isNew = (await stat(path).catch(() => null)) === null;
    spool.#file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    // Its name has to outlive a power cut as well as its lines.
    if (isNew) await syncFolder(dirname(path)).catch((error: Error) => (spool.#fault = error));
    spool.#size = (await spool.#file.stat()).size;
    return spool;
  }

  /** Why lines may not be durable, until the file is empty again: a second try that succeeds would prove nothing. */
  get fault(): Error | null {
    return this.#fault;
  }

  /** `told`: as soon as there is a fault. */
  watch(told: (error: Error) => void): void {
    this.#onFault = told;
  }

  /** Bytes, with everything that was asked for. */
  get size(): number {
    return this.#size;
  }

  /** Rejects when the disk does, or when the file is full. `afterSeq` is kept by the first append to an empty file. */
  append(afterSeq: number, bodies: readonly string[]): Promise<void> {
    const lines = this.#size === 0 ? [`{"afterSeq":${afterSeq}}`, ...bodies] : bodies;
    // The line feed in front ends a line that an earlier write has torn.
    const bytes = Buffer.from(`\n${lines.map((line) => `${this.#mac(line)} ${line}\n`).join('')}`);
    if (this.#size + bytes.length > MAX_BYTES)
      return Promise.reject(new Error(`${this.#path} has reached ${MAX_BYTES} bytes`));
    const at = this.#size;
    this.#size += bytes.length;
    return this.#then(async (file) => {
      if (this.#isStale) await this.#empty(file);
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, at);
      if (bytesWritten < bytes.length) {
        throw Object.assign(new Error(`${this.#path}: the disk is full`), { code: 'ENOSPC' });
      }
      // Not waited for: the fact is in memory too, and the disk may be the very thing that hangs.
      void file.datasync().catch((error: Error) => {
        if (this.#fault === null) this.#onFault(error);
        this.#fault ??= error;
      });
    });
  }

  /** null when nothing is spooled or the first line cannot be trusted. */
  async afterSeq(): Promise<number | null> {
    const { bodies } = await this.#read(0, 4096);
    const first = bodies[0];
    const match = first === undefined ? null : /^\{"afterSeq":(\d{1,15})\}$/.exec(first);
    return match === null ? null : Number(match[1]);
  }

  /** From `from`, a megabyte at a time; the first line is left out. */
  async read(from: number): Promise<SpoolRead> {
    const { bodies, ...rest } = await this.#read(from, CHUNK_BYTES);
    return { ...rest, bodies: bodies.filter((body) => !body.startsWith('{"afterSeq"')) };
  }

  clear(): Promise<void> {
    this.#size = 0;
    return this.#then((file) => this.#empty(file));
  }

  async close(): Promise<void> {
    await this.#then((file) => file.close()).catch(() => undefined);
  }

  /** Durably: lines of before that come back behind new ones, after a power cut, would be written a second time. */
  async #empty(file: FileHandle): Promise<void> {
    this.#isStale = true;
    await file.truncate(0);
    await file.datasync();
    this.#isStale = false;
    this.#fault = null;
  }

  #read(from: number, wanted: number): Promise<SpoolRead> {
    return this.#then(async (file) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, from);
      const isEnd = bytesRead < wanted;
      const text = buffer.subarray(0, bytesRead);
      // A whole line always ends with a line feed; what follows the last one belongs to the next chunk, or was torn.
      const whole = text.lastIndexOf(0x0a) + 1;
      const lines = text
        .toString('utf8', 0, whole)
        .split('\n')
        .filter((line) => line !== '');
      const bodies = lines.flatMap((line) => this.#trusted(line) ?? []);
      const torn = isEnd && whole < bytesRead ? 1 : 0;
      const next = isEnd || whole === 0 ? from + bytesRead : from + whole;
      return { bodies, damaged: lines.length - bodies.length + torn, next, isEnd };
    });
  }

  #trusted(line: string): string | null {
    const mac = Buffer.from(line.slice(0, MAC_CHARACTERS));
    const body = line.slice(MAC_CHARACTERS + 1);
    const expected = Buffer.from(this.#mac(body));
    return mac.length === expected.length && timingSafeEqual(mac, expected) ? body : null;
  }

  #mac(line: string): string {
    return createHmac('sha256', this.#key).update('wardline audit spool 1\n').update(line).digest('base64url');
  }

  #then<T>(work: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#file;
    if (file === undefined) return Promise.reject(new Error(`${this.#path} is closed`));
    const result = this.#tail.then(() => work(file));
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
