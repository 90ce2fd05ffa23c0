import { asError, isUnknownRequest, type SrfResponse } from './client-libraries/index.ts';
import { guarded } from './guarded.ts';
import type { Log } from './ports.ts';

/**
 * A provisional answer once more, after a connection that was lost. One that the server does not take says that the caller
 * has hung up meanwhile, and `gone` runs.
 */
export function askCaller(log: Log, response: SrfResponse, status: 100 | 180, gone: () => void): void {
  const taken = guarded(log, 'provisional', (error: unknown) => {
    if (error && isUnknownRequest(asError(error))) gone();
  });
  response.send(status, undefined, {}, taken);
}
