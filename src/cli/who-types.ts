import { userInfo } from 'node:os';

/** The operating-system user of a command, for the audit; by number where the system has no name for it (containers). */
export function whoTypes(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
