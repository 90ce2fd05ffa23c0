/**
 * From now on the environment of this process is read from memory. drachtio-srf 5.0.29 asks it for a variable twice for
 * every header of every message, and node asks the system each time: a twentieth of all work under load. That variable lets it keep
 * names of headers as they were written, and those would not be found again (src/telephony/client-libraries/lean-messages.ts).
 */
export function keepEnvironment(): void {
  process.env = { ...process.env };
  delete process.env['DRACHTIO_PRESERVE_HEADER_NAMES'];
}

/** A secret that a setting names as `env:NAME`; undefined when there is no such variable. */
export function environmentValue(name: string): string | undefined {
  return process.env[name];
}
