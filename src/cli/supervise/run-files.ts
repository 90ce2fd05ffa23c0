import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, startedTicks } from './processes.ts';

/** Written beside and renamed, so that a reader sees the old text or the new one, never half of it. */
export function writePrivate(path: string, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  // What is there already needs no room on a full disk.
  if (readText(path) === text) return;
  const beside = `${path}.${process.pid}`;
  try {
    writeFileSync(beside, text, { mode: 0o600 });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** For notes that a later start finds things by: without one the house still runs. False when it could not be written. */
export function notePrivate(path: string, value: unknown): boolean {
  try {
    writePrivate(path, value);
    return true;
  } catch {
    return false;
  }
}

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readText(path) ?? 'null');
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export type Lock = { readonly kind: 'taken'; release(): void } | { readonly kind: 'held'; readonly pid: number };

/** One supervisor for one data folder. A lock whose owner is dead is taken over. */
export function takeLock(runFolder: string): Lock {
  mkdirSync(runFolder, { recursive: true, mode: 0o700 });
  const path = join(runFolder, 'supervisor.json');
  const mine = { pid: process.pid, startedTicks: startedTicks(process.pid) ?? '' };
  for (;;) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, `${JSON.stringify(mine)}\n`);
      closeSync(file);
      return { kind: 'taken', release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = readJson(path) as { pid?: unknown; startedTicks?: unknown } | null;
    if (typeof owner?.pid === 'number' && isAlive(owner.pid, String(owner.startedTicks))) {
      return { kind: 'held', pid: owner.pid };
    }
    rmSync(path, { force: true });
  }
}
