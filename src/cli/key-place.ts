import { environmentValue } from '../config/index.ts';
import { keyFrom, readKey } from '../vault/index.ts';
import { Refusal } from './report.ts';
import { printedBy, printedMeanwhile } from '../processes/index.ts';

const COMMAND = 'command:';
const COMMAND_MS = 10_000;

/**
 * 32 bytes from where the setting `name` says: a key that is not on this disk cannot be copied with it. `ofSecrets` is what
 * "secrets" stands for. Throws Refusal, or PortError keyUnreadable, with the place, the reason and the remedy; never the key.
 */
export function keyAt(name: string, place: string, ofSecrets: Uint8Array): Uint8Array {
  if (place === 'secrets') return ofSecrets;
  if (place.startsWith('/')) return readKey(place);
  if (place.startsWith('env:')) {
    return keyOf(name, `the variable ${place.slice(4)}`, fromEnvironment(name, place.slice(4)));
  }
  const { program, words } = commandOf(place);
  try {
    return keyOf(name, 'the command', printedBy(program, words, COMMAND_MS));
  } catch (error) {
    throw said(name, program, error);
  }
}

/** The same in a house that is up: calls go on while a command takes its time. Rejects as `keyAt` throws. */
export async function keyMeanwhile(name: string, place: string, ofSecrets: Uint8Array): Promise<Uint8Array> {
  if (!place.startsWith(COMMAND)) return keyAt(name, place, ofSecrets);
  const { program, words } = commandOf(place);
  try {
    return keyOf(name, 'the command', await printedMeanwhile(program, words, COMMAND_MS));
  } catch (error) {
    throw said(name, program, error);
  }
}

function keyOf(name: string, where: string, text: string): Uint8Array {
  const key = keyFrom(text.trim());
  if (key !== null) return key;
  throw new Refusal(`${name}: ${where} gives no key: it must be 32 bytes as base64url`);
}

function fromEnvironment(name: string, variable: string): string {
  const value = environmentValue(variable);
  if (value !== undefined) return value;
  throw new Refusal(`${name}: the environment has no ${variable}: set it where Wardline is started`);
}

/** The words of the setting are the program and its arguments. */
function commandOf(place: string): { readonly program: string; readonly words: readonly string[] } {
  const [program = '', ...words] = place.slice(COMMAND.length).trim().split(/\s+/);
  return { program, words };
}

function said(name: string, program: string, error: unknown): unknown {
  if (error instanceof Refusal) return error;
  const why = (error as Error).message;
  return new Refusal(`${name}: ${program} ${why}: run it as the user of Wardline to see what it says`);
}
