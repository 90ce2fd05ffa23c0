import { writeFileSync } from 'node:fs';

/** Which parts of its memory a process leaves in a core file (core(5)); its threads and whatever it starts have it too. */
const FILTER = '/proc/self/coredump_filter';

/**
 * A process that dies with a core file leaves none of its memory there, only where it was: what patients say and the keys of
 * their messages are in it. A limit of 0 would not do, for a program that the kernel hands core files to gets them all the
 * same. False where there is no such thing (another system than Linux): doctor looks.
 */
export function keepMemoryOffDisks(): boolean {
  try {
    writeFileSync(FILTER, '0');
    return true;
  } catch {
    return false;
  }
}
