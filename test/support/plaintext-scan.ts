import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { toneSamples } from './sound.ts';

/** G.711 µ-law, ITU-T G.711 table 2a; written here again so that the scan does not trust the code under test. */
export function mulaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  let exponent = 7;
  for (let mask = 0x4000; exponent > 0 && !(magnitude & mask); mask >>= 1) exponent--;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function mulawDecoded(byte: number): number {
  const u = ~byte & 0xff;
  const magnitude = ((((u & 0x0f) << 3) + 132) << ((u >> 4) & 7)) - 132;
  return u & 0x80 ? -magnitude : magnitude;
}

const RUN = 48;
const TMPFS = 0x01021994;

/**
 * Byte patterns that a plain recording of this tone must contain, whatever its phase: 48 samples as µ-law, as 16-bit
 * samples in both byte orders, decoded from µ-law or not. The tone's period must be a whole number of samples.
 */
export function tonePatterns(frequencyHz: number, rateHz = 8000, amplitude = 9000): Buffer[] {
  const period = rateHz / frequencyHz;
  if (!Number.isInteger(period)) throw new Error(`${frequencyHz} Hz has no whole period at ${rateHz} Hz`);
  const patterns: Buffer[] = [];
  for (let phase = 0; phase < period; phase++) {
    patterns.push(...formsOf([...toneSamples(frequencyHz, RUN, phase, amplitude, rateHz)]));
  }
  return patterns;
}

/** The same for what somebody says: of every twentieth of a second that is loud, at whatever instant a file begins. */
export function speechPatterns(samples: Int16Array): Buffer[] {
  const patterns: Buffer[] = [];
  for (let at = 0; at + RUN <= samples.length; at += 400) {
    const run = [...samples.subarray(at, at + RUN)];
    if (run.some((sample) => Math.abs(sample) > 3000)) patterns.push(...formsOf(run));
  }
  return patterns;
}

/** As µ-law, as 16-bit samples in both byte orders, decoded from µ-law or not. */
function formsOf(samples: readonly number[]): Buffer[] {
  const coded = samples.map(mulaw);
  const forms = [Buffer.from(coded)];
  for (const values of [samples, coded.map(mulawDecoded)]) {
    const little = Buffer.alloc(RUN * 2);
    const big = Buffer.alloc(RUN * 2);
    values.forEach((value, i) => {
      little.writeInt16LE(value, i * 2);
      big.writeInt16BE(value, i * 2);
    });
    forms.push(little, big);
  }
  return forms;
}

/** Files below the folders, and files that the processes hold open (also deleted ones), that contain a pattern. */
export function scanForPlaintext(
  folders: readonly string[],
  pids: readonly number[],
  patterns: readonly Buffer[],
): { readonly found: string[]; readonly filesRead: number; readonly bytesRead: number } {
  const found: string[] = [];
  let filesRead = 0;
  let bytesRead = 0;
  const look = (path: string, name: string) => {
    const bytes = readQuietly(path);
    if (!bytes) return;
    filesRead++;
    bytesRead += bytes.length;
    if (patterns.some((pattern) => bytes.includes(pattern))) found.push(name);
  };
  for (const folder of folders) for (const path of filesBelow(folder)) look(path, path);
  for (const pid of pids) {
    for (const fd of listQuietly(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`;
      try {
        // What lies in memory is on no disk; doctor sees to it that it does not get there by swapping.
        if (statSync(path).isFile() && statfsSync(path).type !== TMPFS) look(path, `${path} -> ${readlinkSync(path)}`);
      } catch {
        // Closed while we looked.
      }
    }
  }
  return { found, filesRead, bytesRead };
}

/** A process and all its descendants. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of listQuietly('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // Ended while we looked.
    }
  }
  const tree = [root];
  for (const pid of tree)
    for (const [child, parent] of parents) if (parent === pid && !tree.includes(child)) tree.push(child);
  return tree;
}

function filesBelow(folder: string): string[] {
  return listQuietly(folder).flatMap((name) => {
    const path = join(folder, name);
    try {
      const stat = statSync(path);
      return stat.isDirectory() ? filesBelow(path) : stat.isFile() ? [path] : [];
    } catch {
      return [];
    }
  });
}

function listQuietly(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readQuietly(path: string): Buffer | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(fstatSync(fd).size, 64 * 1024 * 1024));
      readSync(fd, bytes, 0, bytes.length, 0);
      return bytes;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
