import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statfsSync, statSync } from 'node:fs';
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
    const seen = lookThrough(path, patterns);
    if (seen === undefined) return;
    filesRead++;
    bytesRead += seen.bytesRead;
    if (seen.isFound) found.push(name);
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

const PIECE_BYTES = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(PIECE_BYTES);

/** To the end, a piece at a time; undefined for what cannot be read. A core file is large and has nothing in most places. */
function lookThrough(path: string, patterns: readonly Buffer[]): { isFound: boolean; bytesRead: number } | undefined {
  const overlap = Math.max(...patterns.map(({ length }) => length));
  try {
    const fd = openSync(path, 'r');
    try {
      const piece = Buffer.alloc(PIECE_BYTES);
      for (let at = 0; ; at += PIECE_BYTES - overlap) {
        const read = readSync(fd, piece, 0, PIECE_BYTES, at);
        const bytes = piece.subarray(0, read);
        const isEmpty = bytes.equals(NOTHING.subarray(0, read));
        if (!isEmpty && patterns.some((pattern) => bytes.includes(pattern)))
          return { isFound: true, bytesRead: at + read };
        if (read < PIECE_BYTES) return { isFound: false, bytesRead: at + read };
      }
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
