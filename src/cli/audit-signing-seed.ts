import { type Config, environmentValue } from '../config/index.ts';
import { keyFrom, readKey, type Secrets } from '../vault/index.ts';
import { Refusal } from './report.ts';
import { printedBy } from '../processes/index.ts';

const COMMAND_MS = 10_000;

/**
 * The Ed25519 seed that signs the audit, from where `audit.signingKey` says: a key that is not on this disk cannot be
 * copied with it. Throws Refusal, or PortError keyUnreadable, with the place, the reason and the remedy; never the key.
 */
export function auditSigningSeed(
  { audit: { signingKey } }: Pick<Config, 'audit'>,
  secrets: Pick<Secrets, 'auditSigningSeed'>,
): Uint8Array {
  if (signingKey === 'secrets') return secrets.auditSigningSeed;
  if (signingKey.startsWith('/')) return readKey(signingKey);
  const text = signingKey.startsWith('env:') ? fromEnvironment(signingKey.slice(4)) : fromCommand(signingKey.slice(8));
  const key = keyFrom(text.trim());
  if (key !== null) return key;
  throw new Refusal(`audit.signingKey: ${placeOf(signingKey)} gives no key: it must be 32 bytes as base64url`);
}

function fromEnvironment(name: string): string {
  const value = environmentValue(name);
  if (value !== undefined) return value;
  throw new Refusal(`audit.signingKey: the environment has no ${name}: set it where Wardline is started`);
}

/** The words of the setting are the program and its arguments. */
function fromCommand(command: string): string {
  const [program = '', ...words] = command.trim().split(/\s+/);
  try {
    return printedBy(program, words, COMMAND_MS);
  } catch (error) {
    const why = (error as Error).message;
    throw new Refusal(`audit.signingKey: ${program} ${why}: run it as the user of Wardline to see what it says`);
  }
}

function placeOf(signingKey: string): string {
  return signingKey.startsWith('env:') ? `the variable ${signingKey.slice(4)}` : 'the command';
}
