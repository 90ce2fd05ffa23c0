import { createWriteStream, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { Refusal } from './report.ts';

/**
 * A new file for the owner alone; an older one of that name is never replaced, a half-written one never left. Rejects with
 * Refusal.
 */
export async function writeNew(path: string, write: (file: Writable) => Promise<void>): Promise<void> {
  let isMine = false;
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
  file.once('open', () => {
    isMine = true;
  });
  try {
    await write(file);
  } catch (error) {
    if (isMine) rmSync(path, { force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') throw new Refusal(`${path} exists already: give another name with --out`);
    throw new Refusal(`${path} cannot be written (${code ?? String(error)}): check the folder and the disk`);
  }
}
