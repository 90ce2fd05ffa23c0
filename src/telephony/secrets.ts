import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { PortError } from '../engine/ports.ts';
import type { SignallingServerOptions } from './options.ts';

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

/** How to reach a control port; null: in clear. Throws `keyUnreadable` for an authority's file that cannot be read. */
export function controlTls({ host, tls, tlsCa, tlsName }: SignallingServerOptions): ConnectionOptions | null {
  if (!tls) return null;
  const servername = tlsName ?? (isIP(host) === 0 ? host : undefined);
  return {
    ...(tlsCa === undefined ? {} : { ca: wholeFile('signalling.servers: tlsCa', tlsCa) }),
    ...(servername === undefined ? {} : { servername }),
  };
}
