import { describe, type ListenAddress } from './flow.ts';

/** Listening could not begin. The message names the address, the reason and the remedy. */
export class ListenError extends Error {
  readonly code: string;
  constructor(address: ListenAddress, cause: unknown) {
    const code = (cause as { code?: string }).code ?? 'UNKNOWN';
    super(`cannot listen on ${describe(address)}: ${remedies[code] ?? (cause as Error).message}`, { cause });
    this.name = 'ListenError';
    this.code = code;
  }
}

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another program. Stop that program or choose another port.',
  EACCES: 'not permitted. Ports below 1024 need a privilege; choose a higher port.',
  EADDRNOTAVAIL: 'this machine has no such address. Use one of its own addresses, or 0.0.0.0 for all of them.',
};
