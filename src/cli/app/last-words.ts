import type { Logger } from '../../observe/index.ts';

/**
 * From now on an error that nobody caught, also in a promise, is written to the log, redacted, before this process ends.
 * It always ends: what such an error has left half done cannot be trusted with calls, and the supervisor starts a new one.
 */
export function logLastWords(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.error({ err: error, origin }, 'app ended by an error');
    process.exit(1);
  });
}
