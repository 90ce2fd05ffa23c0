import { constants } from 'node:fs';
import { type FileHandle, open, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../engine/ports.ts';
import type { Health, Logger } from '../observe/index.ts';
import { wait } from './backlog.ts';

export interface ReserveOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: Health;
  /** 64 MB unless said otherwise. */
  readonly sizeBytes?: number;
  /** What the disk has left, in bytes; asked of the disk unless said otherwise. */
  readonly leftBytes?: () => Promise<number>;
}

const SIZE_BYTES = 64 * 1024 * 1024;
const SLICE_BYTES = 1024 * 1024;
/** Other things on the disk come first; so do they while it is made. */
const LOOK_MS = 60_000;
const SLICE_WAIT_MS = 50;
const CHECK = 'audit reserve';

/**
 *          a minute after the start            the store fails, and the disk is full
 *   none ────────────────────────────▶ held ────────────────────────────────────────▶ spent
 *     ▲                                                                                │
 *     └───────────────── the disk has room for twice the reserve again ◀───────────────┘
 *
 * Space that is kept for the audit: a file that is deleted when the disk is full, so that tens of thousands of facts more
 * can be written before somebody has freed space.
 */
export class Reserve {
  readonly #options: ReserveOptions;
  readonly #sizeBytes: number;
  #state: 'none' | 'held' | 'spent' = 'none';
  #look: { cancel(): void };
  #making: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: ReserveOptions) {
    this.#options = options;
    this.#sizeBytes = options.sizeBytes ?? SIZE_BYTES;
    this.#look = this.#lookLater();
  }

  /** Called when the store could not be written; does nothing unless the disk is full. Never rejects. */
  async release(): Promise<void> {
    const { path, logger, health } = this.#options;
    if (this.#state === 'spent' || this.#isClosed || (await this.#left()) >= SLICE_BYTES) return;
    await this.#making;
    if (this.#isSpent()) return;
    this.#state = 'spent';
    await rm(path, { force: true }).catch(() => undefined);
    logger.error({ path, bytes: this.#sizeBytes }, 'audit reserve freed, the disk is full');
    const why = `the disk of ${path} is full, and the audit lives on its reserve of ${this.#sizeBytes} bytes: free space`;
    health.failing(CHECK, why);
  }

  /** The file stays for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#look.cancel();
    await this.#making;
    this.#options.health.forget(CHECK);
  }

  /** Somebody else may have been here meanwhile. */
  #isSpent(): boolean {
    return this.#state === 'spent';
  }

  #lookLater(): { cancel(): void } {
    return this.#options.clock.after(LOOK_MS, () => {
      this.#look = this.#lookLater();
      if (this.#state === 'held') return;
      this.#making ??= this.#make().finally(() => {
        this.#making = null;
      });
    });
  }

  /** Written and not only claimed: a file with holes keeps no space. A full disk is told by the store itself. */
  async #make(): Promise<void> {
    const { path, clock, logger, health } = this.#options;
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size < this.#sizeBytes && (await this.#left()) < 2 * this.#sizeBytes) return;
    let file: FileHandle | undefined;
    try {
      file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
      const slice = Buffer.alloc(SLICE_BYTES, 'reserve ');
      for (let at = size; at < this.#sizeBytes; at += SLICE_BYTES) {
        if (this.#isClosed) return;
        await file.write(slice, 0, SLICE_BYTES, at);
        await wait(clock, SLICE_WAIT_MS);
      }
      await file.datasync();
      this.#state = 'held';
      health.ok(CHECK);
    } catch (error) {
      logger.warn({ err: error, path }, 'audit reserve not made');
    } finally {
      await file?.close().catch(() => undefined);
    }
  }

  /** Infinity when the disk does not say. */
  async #left(): Promise<number> {
    const { path, leftBytes } = this.#options;
    if (leftBytes !== undefined) return leftBytes();
    return statfs(dirname(path)).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    );
  }
}
