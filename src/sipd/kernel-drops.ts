import { readFileSync } from 'node:fs';

const tables = ['/proc/net/udp', '/proc/net/udp6'] as const;

/** Datagrams for these ports that the kernel threw away because we did not read them in time. 0 where it does not tell. */
export function kernelDrops(ports: ReadonlySet<number>): number {
  let drops = 0;
  for (const table of tables) {
    for (const line of linesOf(table).slice(1)) {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops
      const words = line.trim().split(/ +/);
      const port = Number.parseInt(words[1]?.split(':')[1] ?? '', 16);
      if (ports.has(port)) drops += Number(words.at(-1) ?? 0);
    }
  }
  return drops;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    // Not Linux.
    return [];
  }
}
