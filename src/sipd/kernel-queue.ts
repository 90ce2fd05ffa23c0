import { readFileSync } from 'node:fs';

const tables = ['/proc/net/udp', '/proc/net/udp6'] as const;

/** What the kernel says of datagrams for these ports; 0 where it does not tell. */
export interface KernelQueue {
  /** Thrown away because we did not read them in time. */
  readonly drops: number;
  /** Waiting to be read now. */
  readonly bytes: number;
}

export function kernelQueue(ports: ReadonlySet<number>): KernelQueue {
  let [drops, bytes] = [0, 0];
  for (const table of tables) {
    for (const line of linesOf(table).slice(1)) {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops
      const words = line.trim().split(/ +/);
      const port = Number.parseInt(words[1]?.split(':')[1] ?? '', 16);
      if (!ports.has(port)) continue;
      drops += Number(words.at(-1) ?? 0);
      bytes += Number.parseInt(words[4]?.split(':')[1] ?? '0', 16);
    }
  }
  return { drops, bytes };
}

// What Linux gives to a socket that asks for 4 MB: the limit of the machine if that is less, and counted twice (socket(7)).
const roomBytes =
  2 * Math.min(4 * 1024 * 1024, Number(linesOf('/proc/sys/net/core/rmem_max')[0] ?? Number.NaN) || 212_992);

/** How full the kernel's room for these ports is, 0 to 1; 0 where it does not tell. */
export function kernelQueueShare(ports: ReadonlySet<number>): number {
  return Math.min(1, kernelQueue(ports).bytes / roomBytes);
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    // Not Linux.
    return [];
  }
}
