import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

const tables = ['/proc/net/udp', '/proc/net/udp6'] as const;

/** What the kernel says of datagrams for some ports; 0 where it does not tell. */
interface Counts {
  /** Thrown away because we did not read them in time. */
  readonly drops: number;
  /** Waiting to be read. */
  readonly bytes: number;
}

// What Linux gives to a socket that asks for 4 MB: the limit of the machine if that is less, and counted twice (socket(7)).
const roomBytes = 2 * Math.min(4 * 1024 * 1024, mostOfTheMachine());

/**
 * What waits in the kernel for these ports. The tables name every socket of the machine, and making them takes the kernel
 * milliseconds where there are thousands: they are read beside what we do, and what is told is what was found last.
 */
export class KernelQueue {
  readonly #ports: ReadonlySet<number>;
  #last: Counts = { drops: 0, bytes: 0 };
  #reading: Promise<void> | undefined;

  /** The set may still grow. */
  constructor(ports: ReadonlySet<number>) {
    this.#ports = ports;
  }

  get last(): Counts {
    return this.#last;
  }

  /** How full the kernel's room was at the last look, 0 to 1. */
  get share(): number {
    return Math.min(1, this.#last.bytes / roomBytes);
  }

  /** Reads the tables; one look at a time. Never rejects. */
  look(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    // Not Linux, where one cannot be read.
    const texts = await Promise.all(tables.map((table) => readFile(table, 'utf8').catch(() => '')));
    this.#last = countsIn(texts, this.#ports);
  }
}

function countsIn(texts: readonly string[], ports: ReadonlySet<number>): Counts {
  let [drops, bytes] = [0, 0];
  for (const line of texts.flatMap((text) => text.split('\n').slice(1))) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops
    const words = line.trim().split(/ +/);
    const port = Number.parseInt(words[1]?.split(':')[1] ?? '', 16);
    if (!ports.has(port)) continue;
    drops += Number(words.at(-1) ?? 0);
    bytes += Number.parseInt(words[4]?.split(':')[1] ?? '0', 16);
  }
  return { drops, bytes };
}

function mostOfTheMachine(): number {
  try {
    return Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8')) || 212_992;
  } catch {
    // Not Linux.
    return 212_992;
  }
}
