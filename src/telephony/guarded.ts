import { type OnFault, safely } from './client-libraries/index.ts';
import type { Log } from './ports.ts';

/** One for each log: a call has dozens of listeners. */
const tellers = new WeakMap<Log, OnFault>();

/** A listener that cannot throw into the client library. */
export function guarded<A extends unknown[]>(log: Log, where: string, run: (...args: A) => void) {
  let tell = tellers.get(log);
  if (tell === undefined) {
    tell = (at, error) => log.error({ at, err: error }, 'fault in a telephony listener');
    tellers.set(log, tell);
  }
  return safely(where, tell, run);
}
