import { safely } from './client-libraries/index.ts';
import type { Log } from './ports.ts';

/** A listener that cannot throw into the client library. */
export function guarded<A extends unknown[]>(log: Log, where: string, run: (...args: A) => void) {
  return safely(where, (at, error) => log.error({ at, err: error }, 'fault in a telephony listener'), run);
}
