import { readFileSync, statSync } from 'node:fs';
import type { Finding } from './finding.ts';

/** What a burst of registrations needs (docs/reference): less than this loses datagrams under load. */
const WANTED_RMEM = 4 * 1024 * 1024;

export function receiveBuffer(): Finding {
  const path = '/proc/sys/net/core/rmem_max';
  const text = readIfThere(path);
  if (text === null) {
    return { check: 'UDP buffers', state: 'note', says: 'cannot be looked at here', remedy: 'none needed for a trial' };
  }
  const max = Number(text);
  if (max >= WANTED_RMEM) return { check: 'UDP buffers', state: 'good', says: `net.core.rmem_max is ${max}` };
  return {
    check: 'UDP buffers',
    state: 'note',
    says: `net.core.rmem_max is ${max}: many phones at once may lose datagrams`,
    remedy: `sysctl -w net.core.rmem_max=${WANTED_RMEM} (and in /etc/sysctl.d/ to keep it)`,
  };
}

/** A socket or two for each leg and each connection, and as many again for a storm. */
const WANTED_FILES = 4096;

/** The limit that processes started from here get; systemd has its own (LimitNOFILE). */
export function openFiles(): Finding {
  const check = 'open files';
  const line = /^Max open files\s+(\S+)/m.exec(readIfThere('/proc/self/limits') ?? '')?.[1];
  if (line === undefined)
    return { check, state: 'note', says: 'cannot be looked at here', remedy: 'none needed for a trial' };
  if (line === 'unlimited' || Number(line) >= WANTED_FILES) return { check, state: 'good', says: `at most ${line}` };
  const says = `at most ${line}: more calls than about ${Math.floor(Number(line) / 8)} at once are refused`;
  return { check, state: 'note', says, remedy: `ulimit -n ${WANTED_FILES * 4} (LimitNOFILE= in a systemd unit)` };
}

/** A firewall that rewrites SIP on the way breaks registrations and gives one-way sound. */
export function sipAlg(): Finding {
  const check = 'SIP ALG';
  const loaded = /^nf_(?:nat|conntrack)_sip\b/m.test(readIfThere('/proc/modules') ?? '');
  if (!loaded) return { check, state: 'good', says: 'none on this machine; look for one in routers on the way, too' };
  return {
    check,
    state: 'note',
    says: 'the kernel of this machine has its SIP helper loaded: it may rewrite what phones say',
    remedy: 'modprobe -r nf_nat_sip nf_conntrack_sip (and a line "blacklist nf_conntrack_sip" in /etc/modprobe.d/)',
  };
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export function clock(): Finding {
  const now = new Date();
  const built = statSync(new URL('../../../package.json', import.meta.url)).mtime;
  const isSane = now.getFullYear() >= 2026 && now.getFullYear() < 2100 && now.getTime() > built.getTime() - 86_400_000;
  if (isSane) return { check: 'clock', state: 'good', says: now.toISOString() };
  const remedy = 'set it (timedatectl set-ntp true): nobody is rung by schedule at a wrong time';
  return { check: 'clock', state: 'bad', says: `${now.toISOString()} cannot be right`, remedy };
}
