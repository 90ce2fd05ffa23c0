import { readFileSync, statSync } from 'node:fs';
import type { Finding } from './finding.ts';

/** What a burst of registrations needs (docs/reference): less than this loses datagrams under load. */
const WANTED_RMEM = 4 * 1024 * 1024;

export function receiveBuffer(): Finding {
  const path = '/proc/sys/net/core/rmem_max';
  let max: number;
  try {
    max = Number(readFileSync(path, 'utf8'));
  } catch {
    return { check: 'UDP buffers', state: 'note', says: 'cannot be looked at here', remedy: 'none needed for a trial' };
  }
  if (max >= WANTED_RMEM) return { check: 'UDP buffers', state: 'good', says: `net.core.rmem_max is ${max}` };
  return {
    check: 'UDP buffers',
    state: 'note',
    says: `net.core.rmem_max is ${max}: many phones at once may lose datagrams`,
    remedy: `sysctl -w net.core.rmem_max=${WANTED_RMEM} (and in /etc/sysctl.d/ to keep it)`,
  };
}

export function clock(): Finding {
  const now = new Date();
  const built = statSync(new URL('../../../package.json', import.meta.url)).mtime;
  const isSane = now.getFullYear() >= 2026 && now.getFullYear() < 2100 && now.getTime() > built.getTime() - 86_400_000;
  if (isSane) return { check: 'clock', state: 'good', says: now.toISOString() };
  const remedy = 'set it (timedatectl set-ntp true): nobody is rung by schedule at a wrong time';
  return { check: 'clock', state: 'bad', says: `${now.toISOString()} cannot be right`, remedy };
}
