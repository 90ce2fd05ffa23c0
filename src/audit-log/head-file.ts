import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type FileHandle, open, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ChainHead } from '../core/audit/index.ts';
import { syncFolder } from './sync-folder.ts';

/**
 * The last link that this house has certified, in a file beside the store: seq, hash, and an HMAC with a key that is in
 * neither. Without it the end of the chain could be cut off, or the whole chain written anew, and nobody would see it.
 *
 * Two slots are written in turn, so that a torn write costs one commit and not the file.
 */
export type HeadState =
  | { readonly kind: 'certified'; readonly head: ChainHead }
  | { readonly kind: 'missing' }
  /** Not a byte of it can be trusted: damaged, or made without the key. */
  | { readonly kind: 'forged' };

const SLOT_BYTES = 256;
const DOMAIN = 'wardline audit head 1';

export class HeadFile {
  readonly #path: string;
  readonly #key: KeyObject;
  #file: FileHandle | undefined;
  /** The slot that was written last. */
  #slot = 1;

  constructor(path: string, key: Uint8Array) {
    this.#path = path;
    this.#key = createSecretKey(key);
  }

  /** Rejects only when the file is there and cannot be read. */
  async read(): Promise<HeadState> {
    let bytes: Buffer;
    try {
      const file = await open(this.#path, 'r');
      try {
        bytes = await file
          .read(Buffer.alloc(2 * SLOT_BYTES), 0, 2 * SLOT_BYTES, 0)
          .then((r) => r.buffer.subarray(0, r.bytesRead));
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return { kind: 'missing' };
      throw error;
    }
    const heads = [bytes.subarray(0, SLOT_BYTES), bytes.subarray(SLOT_BYTES)].map((slot) => this.#parse(slot));
    const newest = (heads[0]?.seq ?? -1) >= (heads[1]?.seq ?? -1) ? 0 : 1;
    this.#slot = newest;
    const head = heads[newest] ?? null;
    return head === null ? { kind: 'forged' } : { kind: 'certified', head };
  }

  /**
   * Rejects when the disk does. Written after every commit, made durable by the system in its own time: both slots lie in
   * one sector, so a power cut leaves an older head, never half of one.
   */
  async write(head: ChainHead): Promise<void> {
    if (this.#file === undefined && (await this.#create(head))) return;
    this.#file ??= await open(this.#path, 'r+');
    // Never over the newest one.
    this.#slot = 1 - this.#slot;
    await this.#file.write(this.#slotOf(head), 0, SLOT_BYTES, this.#slot * SLOT_BYTES);
  }

  /** Keeps a head that the chain does not bear out, as evidence; a new one can be written. */
  async setAside(suffix: string): Promise<void> {
    await this.close();
    await rename(this.#path, `${this.#path}.broken-${suffix}`);
  }

  /** Names of heads that were set aside. */
  async evidence(): Promise<readonly string[]> {
    const prefix = `${basename(this.#path)}.broken-`;
    const names = await readdir(dirname(this.#path));
    return names
      .filter((name) => name.startsWith(prefix))
      .sort()
      .map((name) => join(dirname(this.#path), name));
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.sync().catch(() => undefined);
    await file?.close();
  }

  /** A new file gets its name when it is whole: one that is empty would look like one that somebody has emptied. */
  async #create(head: ChainHead): Promise<boolean> {
    if (await exists(this.#path)) return false;
    const draft = `${this.#path}.new-${process.pid}`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.write(this.#slotOf(head));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#path);
    await syncFolder(dirname(this.#path));
    this.#slot = 0;
    return true;
  }

  #slotOf(head: ChainHead): Buffer {
    return Buffer.from(`${head.seq} ${hex(head.hash)} ${hex(this.#mac(head))}\n`.padEnd(SLOT_BYTES, ' '));
  }

  #parse(slot: Buffer): ChainHead | null {
    const match = /^(\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{64})\n *$/.exec(slot.toString('latin1'));
    if (match === null) return null;
    const head = { seq: Number(match[1]), hash: Buffer.from(match[2] ?? '', 'hex') };
    return timingSafeEqual(this.#mac(head), Buffer.from(match[3] ?? '', 'hex')) ? head : null;
  }

  #mac(head: ChainHead): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${DOMAIN}\n${head.seq}\n${hex(head.hash)}`)
      .digest();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
