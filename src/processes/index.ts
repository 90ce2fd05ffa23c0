import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import type { Writable } from 'node:stream';
import { withoutCoreFile } from './core-files.ts';

/*
 * The only module that starts processes: our own Node with a script of ours, or a program that the configuration names. No
 * shell ever reads a word of either as its own (see `withoutCoreFile`).
 */

export { keepMemoryOffDisks, withoutCoreFile } from './core-files.ts';

const COMPILE_CACHE = new URL('../../scripts/compile-cache.js', import.meta.url).href;

/** Every process gets its own group, so that Ctrl-C in the terminal reaches the supervisor alone; and none leaves a core file. */
export function startNode(
  script: string,
  args: readonly string[],
  stdio: ('ignore' | 'inherit' | 'ipc' | 'pipe' | number)[],
  nodeFlags: readonly string[] = [],
): ChildProcess {
  const words = ['--import', COMPILE_CACHE, ...nodeFlags, script, ...args];
  return spawn(...withoutCoreFile(process.execPath, words), { stdio, detached: true });
}

/** What a program of the house prints, at most 4 KiB. Throws Error with why there is nothing; never what it printed. */
export function printedBy(program: string, words: readonly string[], withinMs: number): string {
  const { status, stdout, error } = spawnSync(program, words, { encoding: 'utf8', timeout: withinMs, maxBuffer: 4096 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ended with code ${status ?? 'none'}`);
  return stdout;
}

/** The same while calls go on: nobody waits but who asked. Rejects with Error as `printedBy` throws. */
export function printedMeanwhile(program: string, words: readonly string[], withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, words, { timeout: withinMs, maxBuffer: 4096 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      // What Node says has the words of the program in it.
      else reject(new Error(`ended with ${error.killed === true ? 'a signal' : `code ${String(error.code)}`}`));
    });
    child.on('error', () => {});
  });
}

/**
 * Lets a program read a text and do its work in a file. Resolves with undefined when it is done, else with why it is not: a code of the system
 * (`ENOENT`: there is no such program), or how it ended. It gets no environment, and what it prints is thrown away.
 */
export function letWork(
  program: string,
  words: readonly string[],
  input: string,
  withinMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      timeout: withinMs,
      killSignal: 'SIGKILL',
    });
    child.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'it cannot be started'));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(signal === 'SIGKILL' ? `not done within ${withinMs} ms` : `ended with code ${code ?? signal}`);
    });
    // One that ends without reading is judged by how it ended.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
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
    endGroup(child.pid);
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
  child.stdin.on('error', () => {});
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

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}
