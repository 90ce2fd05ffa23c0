import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** When a process was started, in the kernel's ticks; tells a process from a later one with the same number. */
export function startedTicks(pid: number): string | null {
  if (!existsSync('/proc/self/stat')) return answersSignalZero(pid) ? 'running' : null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold blanks and brackets; field 3 follows the last one. proc(5): starttime is 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** Systems without /proc: a process with that number exists, perhaps another one. */
function answersSignalZero(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function isAlive(pid: number, ticks: string): boolean {
  return startedTicks(pid) === ticks;
}

/** The kernel ends a process at once, but for one that hangs in a disk. */
const KILLED_WITHIN_MS = 5_000;

/** Asks a process to end, then ends it after `graceMs`. Resolves when it is gone; a process that is gone is no error. */
export async function endProcess(pid: number, ticks: string, graceMs: number): Promise<void> {
  if (!isAlive(pid, ticks)) return;
  for (const [signal, ms] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', KILLED_WITHIN_MS],
  ] as const) {
    send(pid, signal);
    const deadline = performance.now() + ms;
    while (isAlive(pid, ticks) && performance.now() < deadline) await sleep(20);
    if (!isAlive(pid, ticks)) return;
  }
}

export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone between the look and the signal.
  }
}
