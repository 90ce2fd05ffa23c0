import { readFileSync } from 'node:fs';

// What the kernel says of processes and of the machine.

/** User and system time of a process, from /proc: clock ticks are 10 ms on Linux. 0 when it has ended. */
export function cpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

/** What all processors did for somebody: everything but idle and waiting for the disk. Sampled, so only roughly true. */
export function machineMs(): number {
  const [, user, nice, system, , , irq, softirq] = (readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '').split(
    / +/,
  );
  return sum([user, nice, system, irq, softirq].map(Number)) * 10;
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export function pssMb(pids: readonly number[]): number {
  let kb = 0;
  for (const pid of pids) {
    try {
      kb += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0);
    } catch {
      // Ended meanwhile.
    }
  }
  return Math.round(kb / 1024);
}

export function kernelDrops(): number {
  const lines = readFileSync('/proc/net/snmp', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'));
  const at = (lines[0] ?? '').split(' ').indexOf('RcvbufErrors');
  return Number((lines[1] ?? '').split(' ')[at] ?? 0);
}

export function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
