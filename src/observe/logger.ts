import { pino } from 'pino';
import type { LogLevel } from './options.ts';
import { redacted, redactedText } from './redact.ts';
import { oneLine } from './terminal.ts';

/** `message` is a fixed verb phrase; what varies is in the fields. Never throws, never prints a Phi or a secret. */
export interface Logger {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Adds fields to every line. */
  child(fields: object): Logger;
}

export interface LoggerOptions {
  /** Which process: "wardline", "sipd", "mediad". */
  readonly name: string;
  readonly level: LogLevel;
  /** Receives whole lines; standard output when left out. */
  readonly destination?: { write(line: string): void };
  /** One readable line for a terminal, or JSON. By default whichever suits standard output. */
  readonly format?: 'terminal' | 'json';
}

export function createLogger(options: LoggerOptions): Logger {
  const out = options.destination ?? pino.destination({ dest: 1, sync: true });
  const format = options.format ?? (options.destination === undefined && process.stdout.isTTY ? 'terminal' : 'json');
  const destination = format === 'json' ? out : { write: (line: string) => out.write(oneLine(line)) };
  const root = pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    destination,
  );
  return wrap(root);
}

/** Redaction is here and not in pino's own `redact`, which knows only paths that were listed beforehand. */
function wrap(to: pino.Logger): Logger {
  const at = (level: LogLevel) => (fields: object, message: string) => {
    if (to.isLevelEnabled(level)) to[level](safeFields(fields), redactedText(message));
  };
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(to.child(safeFields(fields))),
  };
}

function safeFields(fields: object): Record<string, unknown> {
  const safe = fields instanceof Error ? { err: redacted(fields) } : redacted(fields);
  return typeof safe === 'object' && safe !== null ? (safe as Record<string, unknown>) : { fields: safe };
}
