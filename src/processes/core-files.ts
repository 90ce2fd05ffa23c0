import { writeFileSync } from 'node:fs';

/** Which parts of its memory a process leaves in a core file (core(5)); its threads and whatever it starts have it too. */
const FILTER = '/proc/self/coredump_filter';

/**
 * A process that dies with a core file leaves none of its memory there: what patients say and the keys of their messages are
 * in it. Registers stay, and wide ones hold some milliseconds of what was just copied, so that a limit of 0 is needed too
 * (`withoutCoreFile`); it would not do alone, for a program that the kernel hands core files to gets them all the same.
 * False where there is no such thing (another system than Linux): doctor looks.
 */
export function keepMemoryOffDisks(): boolean {
  try {
    writeFileSync(FILTER, '0');
    return true;
  } catch {
    return false;
  }
}

/** The same command, under a limit of no core file that it and whatever it starts cannot raise; in the same process, which the shell becomes. */
export function withoutCoreFile(program: string, words: readonly string[]): [string, string[]] {
  return ['/bin/sh', ['-c', 'ulimit -c 0; exec "$0" "$@"', program, ...words]];
}
