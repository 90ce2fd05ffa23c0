/**
 * A disk for what goes through node:fs, its promises too: it remembers every change below one folder, so that the folder can be had as a power cut
 * at any moment may leave it, and it can refuse. Of what was written and not synced any sector may be there or not; of names that
 * were made, changed or removed and whose folder was not synced, any.
 */
import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { basename, dirname } from 'node:path';
import { someSectors } from './power-cut.ts';

type Step =
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly size: number }
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'name'; readonly set?: readonly [name: string, file: number]; readonly gone?: string }
  | { readonly kind: 'syncFolder' }
  /** Something was promised. */
  | { readonly kind: 'said'; readonly what: string };

type Fs = Record<string, (...args: never[]) => unknown>;

const loaded = createRequire(import.meta.url)('node:fs') as typeof fs;

export class FaultDisk {
  readonly #folder: string;
  readonly #names = new Map<string, number>();
  readonly #steps: Step[] = [];
  /** By descriptor: which file, and where the next write goes. */
  readonly #open = new Map<number, { readonly file: number | 'folder'; at: number }>();
  readonly #undo: (() => void)[] = [];
  #files = 0;
  #calls = 0;
  #refuseAt = Infinity;
  #code = '';
  #isDead = false;

  /** Of files in `folder` itself; it must be empty. `restore` when done. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#patch(loaded as unknown as Fs);
    syncBuiltinESMExports();
  }

  /** Calls that change something, so far. */
  get calls(): number {
    return this.#calls;
  }

  get steps(): number {
    return this.#steps.length;
  }

  /** Files that were synced, so far. */
  get syncs(): number {
    return this.#steps.filter(({ kind }) => kind === 'sync').length;
  }

  say(what: string): void {
    this.#steps.push({ kind: 'said', what });
  }

  /** The `n`th change from now on fails with `code` (SHORT: a write takes half and says so); with `isDead` whatever comes after it too, as if nobody were there. */
  refuse(n: number, code: string, isDead = false): void {
    this.#calls = 0;
    [this.#refuseAt, this.#code, this.#isDead] = [n, code, isDead];
  }

  restore(): void {
    for (const undo of this.#undo) undo();
    syncBuiltinESMExports();
  }

  /** What is left of the folder, by name, when the power goes behind step `end`, and what had been promised by then. */
  cut(
    end: number,
    random: () => number,
  ): { readonly files: ReadonlyMap<string, Buffer>; readonly said: readonly string[] } {
    const data = new Map<number, { synced: Buffer; written: Buffer }>();
    const names = new Map<string, number>();
    let unsynced: Extract<Step, { kind: 'name' }>[] = [];
    const said: string[] = [];
    const of = (file: number) => data.get(file) ?? { synced: Buffer.alloc(0), written: Buffer.alloc(0) };
    const rename = ({ set, gone }: (typeof unsynced)[number]) => {
      if (gone !== undefined) names.delete(gone);
      if (set !== undefined) names.set(...set);
    };
    for (const step of this.#steps.slice(0, end)) {
      if (step.kind === 'said') said.push(step.what);
      else if (step.kind === 'sync')
        data.set(step.file, { synced: of(step.file).written, written: of(step.file).written });
      else if (step.kind === 'name') unsynced.push(step);
      else if (step.kind === 'syncFolder') {
        for (const name of unsynced) rename(name);
        unsynced = [];
      } else if (step.kind === 'truncate') {
        const { synced, written } = of(step.file);
        data.set(step.file, { synced, written: written.subarray(0, step.size) });
      } else {
        const { synced, written } = of(step.file);
        const longer = Buffer.alloc(Math.max(written.length, step.at + step.bytes.length));
        written.copy(longer);
        step.bytes.copy(longer, step.at);
        data.set(step.file, { synced, written: longer });
      }
    }
    // Kept, dropped, or any of them.
    const keeps = random();
    for (const name of unsynced) if (keeps < 0.2 || (keeps < 0.8 && random() < 0.5)) rename(name);
    const files = new Map<string, Buffer>();
    for (const [name, file] of names) files.set(name, torn(of(file), random));
    return { files, said };
  }

  #change<T>(step: Step | null, work: () => T): T {
    this.#calls += 1;
    if ((this.#calls === this.#refuseAt && this.#code !== 'SHORT') || (this.#isDead && this.#calls > this.#refuseAt)) {
      throw Object.assign(new Error(this.#code), { code: this.#code });
    }
    const done = work();
    if (step !== null) this.#steps.push(step);
    return done;
  }

  #isHere(path: unknown): path is string {
    return typeof path === 'string' && dirname(path) === this.#folder;
  }

  #opened(path: unknown, flags: unknown, descriptor: number): void {
    if (path === this.#folder) this.#open.set(descriptor, { file: 'folder', at: 0 });
    if (!this.#isHere(path)) return;
    const name = basename(path);
    let file = this.#names.get(name);
    if (file === undefined) {
      file = this.#files++;
      this.#names.set(name, file);
      this.#steps.push({ kind: 'name', set: [name, file] });
    }
    if (flags === 'w') this.#steps.push({ kind: 'truncate', file, size: 0 });
    const isAtEnd = flags === 'a' || (typeof flags === 'number' && (flags & fs.constants.O_APPEND) !== 0);
    this.#open.set(descriptor, { file, at: isAtEnd ? loaded.fstatSync(descriptor).size : 0 });
  }

  /** Writes, syncs and cuts of a file that was opened by promise are seen like the others. */
  #watch(handle: FileHandle): void {
    const { fd } = handle;
    const file = () => this.#open.get(fd)?.file;
    const real = {
      write: handle.write.bind(handle) as (...args: unknown[]) => Promise<unknown>,
      sync: handle.sync.bind(handle),
      datasync: handle.datasync.bind(handle),
      truncate: handle.truncate.bind(handle),
      close: handle.close.bind(handle),
    };
    const write = async (bytes: Uint8Array, from = 0, length = bytes.length - from, at: unknown = null) => {
      const done = await real.write(bytes, from, length, at);
      this.#change(this.#written(fd, bytes.subarray(from, from + length), at), () => {});
      return done;
    };
    const synced = (sync: () => Promise<void>) => async () => {
      // What is written while the disk is at it may be left out.
      const step = this.#synced(fd);
      const upTo = this.#steps.length;
      await sync();
      if (this.#steps.slice(upTo).some(({ kind }) => kind === 'write' || kind === 'truncate')) return;
      this.#change(step, () => {});
    };
    const truncate = async (size = 0) => {
      await this.#change(null, () => real.truncate(size));
      const of = file();
      if (typeof of === 'number') this.#steps.push({ kind: 'truncate', file: of, size });
    };
    const close = () => {
      this.#open.delete(fd);
      return real.close();
    };
    Object.assign(handle, { write, sync: synced(real.sync), datasync: synced(real.datasync), truncate, close });
  }

  #written(descriptor: number, given: Uint8Array, position: unknown): Step | null {
    const open = this.#open.get(descriptor);
    if (open === undefined || open.file === 'folder') return null;
    const at = typeof position === 'number' ? position : open.at;
    if (typeof position !== 'number') open.at += given.length;
    return { kind: 'write', file: open.file, at, bytes: Buffer.from(given) };
  }

  #synced(descriptor: number): Step | null {
    const file = this.#open.get(descriptor)?.file;
    if (file === undefined) return null;
    return file === 'folder' ? { kind: 'syncFolder' } : { kind: 'sync', file };
  }

  #renamed(from: string, to: string, isLink: boolean): Step {
    const file = this.#names.get(basename(from));
    if (file === undefined) throw new Error(`${from} was never made`);
    this.#names.set(basename(to), file);
    if (isLink) return { kind: 'name', set: [basename(to), file] };
    this.#names.delete(basename(from));
    return { kind: 'name', set: [basename(to), file], gone: basename(from) };
  }

  #patch(target: Fs): void {
    const patch = (name: string, make: (real: (...args: unknown[]) => unknown) => (...args: never[]) => unknown) => {
      const real = target[name] as (...args: unknown[]) => unknown;
      this.#undo.push(() => void (target[name] = real as never));
      target[name] = make(real.bind(target)) as never;
    };
    patch('openSync', (real) => (path: unknown, flags: unknown = 'r', mode?: unknown) => {
      const open = () => real(path, flags, mode) as number;
      const isChange = this.#isHere(path) && flags !== 'r';
      const descriptor = isChange ? this.#change(null, open) : open();
      this.#opened(path, flags, descriptor);
      return descriptor;
    });
    const byPromise = loaded.promises as unknown as Record<'open', (...args: unknown[]) => Promise<FileHandle>>;
    const openByPromise = byPromise.open;
    this.#undo.push(() => (byPromise.open = openByPromise));
    byPromise.open = async (path, flags = 'r', mode) => {
      const handle = await openByPromise(path, flags, mode);
      if (path !== this.#folder && (!this.#isHere(path) || flags === 'r')) return handle;
      this.#opened(path, flags, handle.fd);
      this.#watch(handle);
      return handle;
    };
    patch('write', (real) => (descriptor: number, text: string, told: (error: Error | null) => void) => {
      const step = this.#open.has(descriptor) ? this.#written(descriptor, Buffer.from(text), undefined) : null;
      if (step !== null) this.#steps.push(step);
      return real(descriptor, text, told);
    });
    patch('writeFileSync', (real) => (path: unknown, text: string, ...rest: unknown[]) => {
      if (!this.#isHere(path)) return real(path, text, ...rest);
      const descriptor = loaded.openSync(path, 'w');
      loaded.writeSync(descriptor, text);
      loaded.closeSync(descriptor);
    });
    patch('closeSync', (real) => (descriptor: number) => {
      this.#open.delete(descriptor);
      return real(descriptor);
    });
    patch('writeSync', (real) => (descriptor: number, given: Uint8Array | string, ...rest: unknown[]) => {
      if (!this.#open.has(descriptor)) return real(descriptor, given, ...rest);
      const bytes = typeof given === 'string' ? Buffer.from(given) : given;
      const position = typeof given === 'string' ? rest[0] : rest[2];
      if (this.#calls + 1 === this.#refuseAt && this.#code === 'SHORT') {
        this.#calls += 1;
        return real(descriptor, bytes.subarray(0, bytes.length >> 1), 0, undefined, position ?? null);
      }
      return this.#change(this.#written(descriptor, bytes, position), () => real(descriptor, given, ...rest));
    });
    patch(
      'fsyncSync',
      (real) => (descriptor: number) =>
        this.#open.has(descriptor) ? this.#change(this.#synced(descriptor), () => real(descriptor)) : real(descriptor),
    );
    for (const [name, isLink] of [
      ['renameSync', false],
      ['linkSync', true],
    ] as const) {
      patch(name, (real) => (from: unknown, to: unknown) => {
        if (!this.#isHere(from) || !this.#isHere(to)) return real(from, to);
        return this.#change(null, () => {
          real(from, to);
          this.#steps.push(this.#renamed(from, to, isLink));
        });
      });
    }
    patch('rmSync', (real) => (path: unknown, options?: unknown) => {
      if (!this.#isHere(path) || !this.#names.has(basename(path))) return real(path, options);
      return this.#change({ kind: 'name', gone: basename(path) }, () => {
        real(path, options);
        this.#names.delete(basename(path));
      });
    });
  }
}

/** A file that was written and not synced: kept, dropped, torn. */
function torn(
  { synced, written }: { readonly synced: Buffer; readonly written: Buffer },
  random: () => number,
): Buffer {
  const keeps = random();
  if (keeps < 0.2 || synced === written) return written;
  if (keeps < 0.4) return synced;
  if (written.subarray(0, synced.length).equals(synced)) return someSectors(written, synced.length, random);
  // Written over, or cut: any sector is the old or the new one; and half of each.
  const [longer, shorter] = written.length > synced.length ? [written, synced] : [synced, written];
  const mixed = Buffer.from(longer);
  shorter.copy(mixed);
  for (let at = 0; at < mixed.length; at += 512) {
    const from = random() < 0.5 ? written : synced;
    if (at < from.length) from.copy(mixed, at, at, Math.min(from.length, at + 512));
  }
  const at = Math.floor(random() * (written.length + 1));
  const torn = random() < 0.5 ? mixed : Buffer.concat([written.subarray(0, at), synced.subarray(at)]);
  return torn.subarray(0, random() < 0.5 ? synced.length : torn.length);
}
