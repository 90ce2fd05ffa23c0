import { environmentValue } from '../config/index.ts';
import { keyFrom, readKey } from '../vault/index.ts';
import { Refusal } from './report.ts';
import { printedBy } from '../processes/index.ts';

const COMMAND_MS = 10_000;

/**
 * 32 bytes from where the setting `name` says: a key that is not on this disk cannot be copied with it. `ofSecrets` is what
 * "secrets" stands for. Throws Refusal, or PortError keyUnreadable, with the place, the reason and the remedy; never the key.
 */
export function keyAt(name: string, place: string, ofSecrets: Uint8Array): Uint8Array {
  if (place === 'secrets') return ofSecrets;
  if (place.startsWith('/')) return readKey(place);
  const text = place.startsWith('env:') ? fromEnvironment(name, place.slice(4)) : fromCommand(name, place.slice(8));
  const key = keyFrom(text.trim());
  if (key !== null) return key;
  const where = place.startsWith('env:') ? `the variable ${place.slice(4)}` : 'the command';
  throw new Refusal(`${name}: ${where} gives no key: it must be 32 bytes as base64url`);
}

function fromEnvironment(name: string, variable: string): string {
  const value = environmentValue(variable);
  if (value !== undefined) return value;
  throw new Refusal(`${name}: the environment has no ${variable}: set it where Wardline is started`);
}

/** The words of the setting are the program and its arguments. */
function fromCommand(name: string, command: string): string {
  const [program = '', ...words] = command.trim().split(/\s+/);
  try {
    return printedBy(program, words, COMMAND_MS);
  } catch (error) {
    const why = (error as Error).message;
    throw new Refusal(`${name}: ${program} ${why}: run it as the user of Wardline to see what it says`);
  }
}
