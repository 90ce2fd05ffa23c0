import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const MAX_BYTES = 10 * 1024 * 1024;

/** Lines of JSON for `<data>/log/app.log`, at most 10 MB of it and 10 MB before that; warnings also for the terminal. */
export function logTo(path: string, terminal: (line: string) => void): { write(line: string): void; close(): void } {
  let file = openSync(path, 'a', 0o600);
  let sizeBytes = fstatSync(file).size;
  return {
    write(line) {
      try {
        sizeBytes += writeSync(file, line);
        if (sizeBytes > MAX_BYTES) {
          closeSync(file);
          renameSync(path, `${path}.1`);
          file = openSync(path, 'a', 0o600);
          sizeBytes = 0;
        }
      } catch {
        // A full disk must not end a call; the audit raises the alarm about the disk.
      }
      const short = forTerminal(line);
      if (short !== null) terminal(short);
    },
    close: () => closeSync(file),
  };
}

const OWN = new Set(['level', 'time', 'name', 'pid', 'msg', 'stack']);

/** "warn: signalling server lost (host=127.0.0.1, why=…)"; null for what is only worth a file. */
function forTerminal(json: string): string | null {
  const line = JSON.parse(json) as Record<string, unknown>;
  if (line['level'] !== 'warn' && line['level'] !== 'error') return null;
  const fields = Object.entries(line)
    .filter(([key]) => !OWN.has(key))
    .map(([key, value]) => `${key}=${shown(value)}`);
  return `${line['level']}: ${String(line['msg'])}${fields.length === 0 ? '' : ` (${fields.join(', ')})`}`;
}

function shown(value: unknown): string {
  const isError = typeof value === 'object' && value !== null && 'message' in value;
  const text = isError ? String(value.message) : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
