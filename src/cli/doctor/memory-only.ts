import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Config } from '../../config/index.ts';
import { serverNameOf } from '../../telephony/options.ts';
import type { Finding } from './finding.ts';

/** As `/proc` and `statfs` say it; a test gives its own. */
export interface Machine {
  /** /proc/swaps */
  readonly swaps: string;
  /** Lines of the dm-crypt kind: block devices whose content is encrypted, such as "dm-1" or "zram0". */
  readonly safeDevices: ReadonlySet<string>;
  /** null: there is no such folder. */
  readonly fileSystemOf: (folder: string) => { readonly isTmpfs: boolean; readonly sizeBytes: number } | null;
}

const TMPFS_MAGIC = 0x01021994;
/** An hour of speech in 16-bit samples; a tmpfs that may take all memory takes the machine with it. */
const LARGEST_SHARE = 0.5;

/**
 * Where every FreeSWITCH of the configuration records to (one without such a folder takes no messages), and whether memory
 * stays off the disks.
 */
export function plainSpeech({ media }: Config): readonly Finding[] {
  const folders = new Set<string>();
  const findings: Finding[] = [];
  for (const server of media.servers.filter(({ kind }) => kind === 'freeswitch')) {
    if (server.plain !== undefined) folders.add(server.plain);
    else {
      const says = 'has no folder to record to: nobody can leave a message on it';
      const remedy = 'mount a tmpfs for it and name it as `plain` of the server (freeswitch-conf/README.md)';
      findings.push({ check: `media ${serverNameOf(server)}`, state: 'bad', says, remedy });
    }
  }
  const machine = thisMachine();
  findings.push(...[...folders].map((folder) => tmpfs(folder, totalmem(), machine)));
  return [...findings, swap(machine, folders.size > 0)];
}

/** Plain speech may lie in memory only: the folder a tmpfs with a limit, and nothing of memory in clear on a disk. */
export function memoryOnlyFindings(
  folder: string,
  totalBytes: number,
  machine: Machine = thisMachine(),
): readonly Finding[] {
  return [tmpfs(folder, totalBytes, machine), swap(machine, true)];
}

function tmpfs(folder: string, totalBytes: number, { fileSystemOf }: Machine): Finding {
  const check = 'plain recordings';
  const mount = `mount -t tmpfs -o size=256m,mode=0700,noexec,nosuid,nodev wardline ${folder} (and in /etc/fstab to keep it)`;
  const found = fileSystemOf(folder);
  if (found === null) {
    return {
      check,
      state: 'bad',
      says: `${folder} is not there: FreeSWITCH drops a caller that it cannot record`,
      remedy: mount,
    };
  }
  if (!found.isTmpfs) {
    return {
      check,
      state: 'bad',
      says: `${folder} is not a tmpfs: what patients say would be written to a disk`,
      remedy: mount,
    };
  }
  if (found.sizeBytes > totalBytes * LARGEST_SHARE) {
    return {
      check,
      state: 'note',
      says: `${folder} may take more than half of the memory`,
      remedy: `${mount}; size= is the limit`,
    };
  }
  return { check, state: 'good', says: `${folder} is in memory, at most ${Math.floor(found.sizeBytes / 2 ** 20)} MB` };
}

/** `holdsMessages`: whole messages lie in memory in clear; else keys, and of each recording and message that plays less than a second. */
export function swap({ swaps, safeDevices }: Pick<Machine, 'swaps' | 'safeDevices'>, holdsMessages: boolean): Finding {
  const check = 'swap';
  const names = swaps
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');
  const plain = names.filter((name) => !safeDevices.has(name.replace(/^\/dev\//, '')));
  if (plain.length === 0) {
    return {
      check,
      state: 'good',
      says: names.length === 0 ? 'is off' : `${names.join(', ')}: encrypted or in memory`,
    };
  }
  return {
    check,
    state: holdsMessages ? 'bad' : 'note',
    says: `${plain.join(', ')} is not encrypted: ${holdsMessages ? 'what patients say' : 'keys of messages, and pieces of what is said,'} can get onto a disk in clear`,
    remedy: 'swapoff -a and take it out of /etc/fstab, or put it on dm-crypt with a random key (/etc/crypttab: swap)',
  };
}

function thisMachine(): Machine {
  return {
    swaps: readOr('/proc/swaps', ''),
    safeDevices: safeDevices(),
    fileSystemOf(folder) {
      if (!existsSync(folder)) return null;
      const { type, blocks, bsize } = statfsSync(folder);
      return { isTmpfs: type === TMPFS_MAGIC, sizeBytes: blocks * bsize };
    },
  };
}

/** zram is memory; a device mapper target says in its uuid what it is made of. */
function safeDevices(): ReadonlySet<string> {
  const folder = '/sys/block';
  const devices = existsSync(folder) ? readdirSync(folder) : [];
  const safe = new Set<string>();
  for (const device of devices) {
    if (device.startsWith('zram')) safe.add(device);
    if (!readOr(`${folder}/${device}/dm/uuid`, '').startsWith('CRYPT-')) continue;
    safe.add(device);
    safe.add(`mapper/${readOr(`${folder}/${device}/dm/name`, '').trim()}`);
  }
  return safe;
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
