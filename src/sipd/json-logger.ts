import type { Logger } from '../sip/index.ts';

/** One JSON object a line. */
export function jsonLogger(write: (line: string) => void, now: () => number): Logger {
  const log = (level: string) => (fields: Readonly<Record<string, unknown>>, verb: string) => {
    write(`${JSON.stringify({ level, time: new Date(now()).toISOString(), process: 'sipd', verb, ...fields })}\n`);
  };
  return { info: log('info'), warn: log('warn'), error: log('error') };
}
