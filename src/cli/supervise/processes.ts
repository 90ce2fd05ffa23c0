import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const COMPILE_CACHE = new URL('../../../scripts/compile-cache.js', import.meta.url).href;

/*
 * The only module that starts processes, and never through a shell: our own Node with a script of ours, or a program that
 * the configuration names.
 */

/** Every process gets its own group, so that Ctrl-C in the terminal reaches the supervisor alone. */
export function startNode(
  script: string,
  args: readonly string[],
  stdio: ('ignore' | 'inherit' | 'ipc' | 'pipe' | number)[],
  nodeFlags: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, ['--import', COMPILE_CACHE, ...nodeFlags, script, ...args], { stdio, detached: true });
}

/** What a program of the house prints, at most 4 KiB. Throws Error with why there is nothing; never what it printed. */
export function printedBy(program: string, words: readonly string[], withinMs: number): string {
  const { status, stdout, error } = spawnSync(program, words, { encoding: 'utf8', timeout: withinMs, maxBuffer: 4096 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ended with code ${status ?? 'none'}`);
  return stdout;
}

/**
 * What a program of the house makes of `feed`. It gets no environment of ours, no folder of ours, and a group of its own, which is
 * ended with it. Rejects with Error that says why there is nothing; never what it printed, which may be a patient's words.
 */
export async function pipedThrough(
  [program = '', ...words]: readonly string[],
  feed: (to: Writable) => Promise<void>,
  { withinMs, mostBytes, stop }: { readonly withinMs: number; readonly mostBytes: number; readonly stop: AbortSignal },
): Promise<string> {
  const child = spawn(program, words, {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
    cwd: '/',
    env: PLAIN_ENVIRONMENT,
  });
  let why: string | null = null;
  const end = (because: string): void => {
    why ??= because;
    if (child.pid !== undefined) send(-child.pid, 'SIGKILL');
    // What has left the group may hold the other end for ever.
    child.stdout.destroy();
  };
  const timer = setTimeout(() => end(`took longer than ${withinMs / 1000} s`), withinMs);
  const stopped = (): void => end('the house stops');
  stop.addEventListener('abort', stopped);
  const printed: Buffer[] = [];
  let sizeBytes = 0;
  child.stdout.on('data', (piece: Buffer) => {
    sizeBytes += piece.length;
    if (sizeBytes > mostBytes) end(`printed more than ${mostBytes} bytes`);
    else printed.push(piece);
  });
  // A program that does not read to the end is judged by how it ends.
  feed(child.stdin).catch(() => child.stdin.destroy());
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => reject(new Error(`cannot be started (${error.code})`)));
      child.once('close', resolve);
    });
    if (why !== null) throw new Error(why);
    if (code !== 0) throw new Error(`ended with code ${code ?? 'none'}`);
    return Buffer.concat(printed).toString('utf8');
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', stopped);
  }
}

const PLAIN_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };

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
