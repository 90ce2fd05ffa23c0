/** What this library asks of a log: a fixed verb and fields. No message text is ever passed to it. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, verb: string): void;
  warn(fields: Readonly<Record<string, unknown>>, verb: string): void;
  error(fields: Readonly<Record<string, unknown>>, verb: string): void;
}

export const silentLogger: Logger = { info() {}, warn() {}, error() {} };
