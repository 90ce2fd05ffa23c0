import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

const MAX_BYTES = 10 * 1024 * 1024;

/** Opened for appending, so that a daemon writes on at the end also after the file was cut. */
export function openLog(path: string): number {
  return openSync(path, 'a', 0o600);
}

/** Keeps a log that a daemon holds open under 10 MB: the old part moves to `.1`, the file is cut in place. Never throws. */
export function capLog(path: string, maxBytes = MAX_BYTES): void {
  if (sizeOf(path) <= maxBytes) return;
  try {
    copyFileSync(path, `${path}.1`);
  } catch {
    // A full disk: better no old lines than a log that fills it further.
  }
  try {
    truncateSync(path, 0);
  } catch {
    // Gone in between.
  }
}

export function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/** At most 64 kB of what was written since `from`. */
export function readSince(path: string, from: number): string {
  const length = Math.min(65_536, Math.max(0, sizeOf(path) - from));
  if (length === 0) return '';
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, from)).toString('utf8');
  } finally {
    closeSync(file);
  }
}
