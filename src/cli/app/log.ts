import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { printable } from '../../observe/index.ts';

const MAX_BYTES = 10 * 1024 * 1024;

/** Lines of JSON for `<data>/log/app.log`, at most 10 MB of it and 10 MB before that; warnings also for the terminal. */
export function logTo(
  path: string,
  terminal: (line: string) => void,
  maxBytes = MAX_BYTES,
): { write(line: string): void; close(): void } {
  let file: number | null = openSync(path, 'a', 0o600);
  let sizeBytes = fstatSync(file).size;

  /** The old file is let go only when there is a new one: its number may soon be that of the store. */
  function turnOver(old: number): number {
    renameSync(path, `${path}.1`);
    const fresh = openSync(path, 'a', 0o600);
    closeSync(old);
    return fresh;
  }

  return {
    write(line) {
      try {
        if (file !== null) sizeBytes += writeSync(file, line);
        if (file !== null && sizeBytes > maxBytes) {
          // Counted anew also when it fails: not tried again with every line.
          sizeBytes = 0;
          file = turnOver(file);
        }
      } catch {
        // A full disk must not end a call; the audit raises the alarm about the disk.
      }
      const short = forTerminal(line);
      if (short !== null) terminal(short);
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}

const OWN = new Set(['level', 'time', 'name', 'pid', 'msg', 'stack']);

/** "warn: signalling server lost (host=127.0.0.1, why=…)"; null for what is only worth a file. */
function forTerminal(json: string): string | null {
  // Most lines are neither, and need not be taken apart to see it.
  if (!json.includes('"level":"warn"') && !json.includes('"level":"error"')) return null;
  const line = JSON.parse(json) as Record<string, unknown>;
  if (line['level'] !== 'warn' && line['level'] !== 'error') return null;
  const fields = Object.entries(line)
    .filter(([key]) => !OWN.has(key))
    .map(([key, value]) => `${key}=${shown(value)}`);
  return printable(`${line['level']}: ${String(line['msg'])}${fields.length === 0 ? '' : ` (${fields.join(', ')})`}`);
}

function shown(value: unknown): string {
  const isError = typeof value === 'object' && value !== null && 'message' in value;
  const text = isError ? String(value.message) : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
