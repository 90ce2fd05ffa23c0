import { readFileSync } from 'node:fs';
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

/** drachtio-server asks for no buffer of its own: it reads with what the kernel gives everybody (docs/engines.md). */
const WANTED_RMEM_DEFAULT = 8 * 1024 * 1024;

/** For a machine on which a drachtio-server runs; `text`: net.core.rmem_default. */
export function defaultBuffer(text: string | null = readIfThere('/proc/sys/net/core/rmem_default')): Finding {
  const check = 'UDP buffers of drachtio-server';
  const bytes = Number(text ?? 'NaN');
  if (bytes >= WANTED_RMEM_DEFAULT) return { check, state: 'good', says: `net.core.rmem_default is ${bytes}` };
  const says = `net.core.rmem_default is ${text?.trim() ?? 'not to be seen here'}: a flood takes the INVITEs of phones with it`;
  const remedy = `sysctl -w net.core.rmem_default=${WANTED_RMEM_DEFAULT} (and in /etc/sysctl.d/ to keep it), then restart it`;
  return { check, state: 'note', says, remedy };
}

/**
 * What a process held in memory, speech and keys, lies on the disk when it dies with a core file. `filter`: what this process
 * leaves there (core(5)), as every process of the house does.
 */
export function coreFiles(
  limits: string | null = readIfThere('/proc/self/limits'),
  filter: string | null = readIfThere('/proc/self/coredump_filter'),
): Finding {
  const check = 'core files';
  const size = /^Max core file size\s+(\S+)/m.exec(limits ?? '')?.[1] ?? '0';
  if (size === '0') return { check, state: 'good', says: 'are not written' };
  if (filter !== null && /^0+$/.test(filter.trim())) {
    return {
      check,
      state: 'good',
      says: 'are not written by what carries calls; a command leaves nothing of its memory',
    };
  }
  const says = 'may be written: what patients say and the keys of their messages would lie on the disk in clear';
  return { check, state: 'note', says, remedy: 'ulimit -c 0 (LimitCORE=0 in a systemd unit)' };
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
