/** A sealed container on a disk. The file must not exist yet, and only the owner can read it. */
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SealedSink } from './sealed-writer.ts';
import { syncFolder } from './sync-folder.ts';

export class SealedFile implements SealedSink {
  readonly #handle: FileHandle;
  readonly #folder: string;

  private constructor(handle: FileHandle, folder: string) {
    this.#handle = handle;
    this.#folder = folder;
  }

  /** Rejects with Node's error (EEXIST, ENOSPC, EACCES …). */
  static async create(path: string): Promise<SealedFile> {
    return new SealedFile(await open(path, 'wx', 0o600), dirname(path));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#handle.appendFile(bytes);
  }

  async close(): Promise<void> {
    try {
      await this.#handle.sync();
      // Its name too: after a power cut what was acknowledged is found again.
      await syncFolder(this.#folder);
    } finally {
      await this.#handle.close();
    }
  }
}
