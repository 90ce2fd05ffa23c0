import { readFileSync } from 'node:fs';
import { PortError } from '../engine/ports.ts';

/** The first line of the file, else the value. Throws `keyUnreadable` that names the option to set. */
export function readSecret(option: string, from: { secret?: string; secretFile?: string }): string {
  if (from.secretFile !== undefined) return firstLine(option, from.secretFile);
  if (from.secret !== undefined) return from.secret;
  throw new PortError('keyUnreadable', { says: `${option}: has no secret: give its secretFile` });
}

export function firstLine(option: string, file: string): string {
  const line = wholeFile(option, file).split(/\r?\n/, 1)[0]?.trim() ?? '';
  if (line === '')
    throw new PortError('keyUnreadable', { says: `${option}: ${file} is empty: write the secret into it` });
  return line;
}

export function wholeFile(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new PortError('keyUnreadable', {
      says: `${option}: ${file} cannot be read (${why}): correct the path, or who may read it`,
      cause,
    });
  }
}
