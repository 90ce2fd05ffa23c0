import { readdirSync, readFileSync } from 'node:fs';

/** User and system time of each thread of a process, in steps of 10 ms. Empty when there is none. */
export function threadsMs(pid: number): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      times.set(thread, (Number(fields[11]) + Number(fields[12])) * 10);
    }
  } catch {
    // It has ended.
  }
  return times;
}
