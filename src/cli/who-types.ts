import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { printedBy } from '../processes/index.ts';

const ASK_MS = 5000;
/** What the kernel says of a process that nobody logged in for. */
const NOBODY = 0xff_ff_ff_ff;

/**
 * The operating-system user of a command, for the audit; by number where the system has no name for it (containers).
 * "kim as wardline" when somebody logged in as one and became the other.
 */
export function whoTypes(): string {
  const user = userOf();
  const person = whoIsHere();
  return person === user ? user : `${person} as ${user}`;
}

/** Who logged in, whatever they have become since; the user of the command where nobody did (a timer, a container). */
export function whoIsHere(): string {
  const uid = loginUid();
  return uid === null || uid === process.getuid?.() ? userOf() : nameOf(uid);
}

function userOf(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Set at the login, and nobody can change it (pam_loginuid, proc(5)); null where there is none. */
function loginUid(): number | null {
  try {
    const uid = Number(readFileSync('/proc/self/loginuid', 'latin1'));
    return Number.isInteger(uid) && uid < NOBODY ? uid : null;
  } catch {
    return null;
  }
}

function nameOf(uid: number): string {
  try {
    return printedBy('id', ['-un', '--', String(uid)], ASK_MS).trim();
  } catch {
    return `uid ${uid}`;
  }
}
