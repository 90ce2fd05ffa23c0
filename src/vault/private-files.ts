import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PortError } from '../engine/ports.ts';

/** Files with secrets: nobody else may read them, and they are there whole or not at all. */

const MAX_FILE_BYTES = 4096;

export const RESTORE = 'restore the whole folder from a backup; what was sealed with a lost key cannot be opened again';

/**
 * Whole or not at all, and never over one that is there: of two processes one is first, and its file is the one. Throws
 * PortError keyUnreadable.
 */
export function writeOnce(path: string, text: string): void {
  if (exists(path)) return;
  const draft = `${path}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    write(draft, text);
    linkSync(draft, path);
    sync(dirname(path));
  } catch (cause) {
    if (!exists(path)) {
      throw unreadable(path, `cannot be made (${codeOf(cause)})`, 'check who owns the folder, and the disk', cause);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** With other words in place of those that are there; the old ones are written over, for a removed file may still be found. */
export function replace(path: string, text: string): void {
  const draft = `${path}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  const old = openSync(path, 'r+');
  try {
    write(draft, text);
    renameSync(draft, path);
    sync(dirname(path));
    writeOver(old);
  } finally {
    closeSync(old);
    rmSync(draft, { force: true });
  }
}

const GOING = '.going';

/**
 * Loses its name first, for good, is then written over, and removed: whatever dies in between, nobody finds half a file under
 * the name. One that is gone is no error. `removeGoing` does what was interrupted.
 */
export function remove(path: string): void {
  if (exists(path)) {
    renameSync(path, `${path}${GOING}`);
    sync(dirname(path));
  }
  erase(`${path}${GOING}`);
}

export function removeGoing(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith(GOING)) erase(join(folder, name));
}

function erase(path: string): void {
  if (!exists(path)) return;
  const file = openSync(path, 'r+');
  try {
    writeOver(file);
  } finally {
    closeSync(file);
  }
  rmSync(path);
  sync(dirname(path));
}

function writeOver(file: number): void {
  const { size } = fstatSync(file);
  writeSync(file, randomBytes(size), 0, size, 0);
  fsyncSync(file);
}

export function readText(path: string): string {
  refuseOpenToOthers(path, false);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw unreadable(path, `cannot be read (${codeOf(cause)})`, 'start Wardline as the user who owns it', cause);
  }
}

export function refuseOpenToOthers(path: string, wantFolder: boolean): void {
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(path);
  } catch (cause) {
    const why = codeOf(cause) === 'ENOENT' ? 'is missing' : `cannot be read (${codeOf(cause)})`;
    throw unreadable(path, why, RESTORE, cause);
  }
  if (wantFolder ? !stat.isDirectory() : !stat.isFile() || stat.size > MAX_FILE_BYTES) {
    throw unreadable(path, wantFolder ? 'is not a folder' : 'is not a key file', RESTORE, undefined);
  }
  if ((stat.mode & 0o077) !== 0) {
    const mode = wantFolder ? '700' : '600';
    throw unreadable(path, 'can be read by other users', `run: chmod ${mode} ${path}`, undefined);
  }
}

export function write(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    const bytes = Buffer.from(`${text}\n`);
    // A disk that fills up in between takes some of it and calls that a success.
    if (writeSync(file, bytes) < bytes.length) throw Object.assign(new Error(`${path}: no space`), { code: 'ENOSPC' });
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function sync(dir: string): void {
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

export function unreadable(path: string, why: string, remedy: string, cause: unknown): PortError {
  return new PortError('keyUnreadable', { cause, says: `${path} ${why}; ${remedy}` });
}

export function codeOf(cause: unknown): string {
  return String((cause as { code?: unknown }).code ?? cause);
}
