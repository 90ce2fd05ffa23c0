/** A sealed container on a disk. The file must not exist yet, and only the owner can read it. */
import { type FileHandle, open } from 'node:fs/promises';
import type { SealedSink } from './sealed-writer.ts';

export class SealedFile implements SealedSink {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Rejects with Node's error (EEXIST, ENOSPC, EACCES …). */
  static async create(path: string): Promise<SealedFile> {
    return new SealedFile(await open(path, 'wx', 0o600));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#handle.appendFile(bytes);
  }

  async close(): Promise<void> {
    try {
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }
}
