import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/**
 * One supervisor for one data folder. A lock whose owner is dead is taken over. Of many that try in the same moment
 * exactly one gets it: a lock appears under its name only when it is written whole, and who replaces a dead one does so
 * while nobody else may.
 */
export function takeLock(runFolder: string): Lock {
  mkdirSync(runFolder, { recursive: true, mode: 0o700 });
  const path = join(runFolder, 'supervisor.json');
  const taking = join(runFolder, 'supervisor.taking');
  const mine = join(runFolder, `supervisor.${process.pid}.${randomUUID()}`);
  const text = `${JSON.stringify({ pid: process.pid, startedTicks: startedTicks(process.pid) ?? '' })}\n`;
  writeFileSync(mine, text, { mode: 0o600 });
  try {
    for (;;) {
      if (isLinked(mine, path)) return taken(path);
      const owner = livingOwner(path);
      if (owner !== null) return { kind: 'held', pid: owner };
      if (!isLinked(mine, taking)) {
        const other = livingOwner(taking);
        if (other !== null) return { kind: 'held', pid: other };
        rmSync(taking, { force: true });
        continue;
      }
      const isOurs = livingOwner(path) === null;
      if (isOurs) renameSync(mine, path);
      rmSync(taking, { force: true });
      if (isOurs) return taken(path);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function taken(path: string): Lock {
  return { kind: 'taken', release: () => rmSync(path, { force: true }) };
}

/** False when there is a file of that name. */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** The process of a lock; null when it is dead, or the lock is gone or broken. */
function livingOwner(path: string): number | null {
  const owner = readJson(path) as { pid?: unknown; startedTicks?: unknown } | null;
  if (typeof owner?.pid !== 'number') return null;
  return isAlive(owner.pid, String(owner.startedTicks)) ? owner.pid : null;
}
