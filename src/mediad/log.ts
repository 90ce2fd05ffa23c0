/** One JSON line per fact, on stderr. Fields are ids, codes and numbers; never a caller's number or name. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(fields: LogFields, verb: string): void;
  warn(fields: LogFields, verb: string): void;
  error(fields: LogFields, verb: string): void;
}

export function logTo(write: (line: string) => void, now: () => Date = () => new Date()): Log {
  const at = (level: string) => (fields: LogFields, verb: string) =>
    write(`${JSON.stringify({ level, time: now().toISOString(), part: 'mediad', ...fields, msg: verb })}\n`);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

export const silentLog: Log = { info() {}, warn() {}, error() {} };
