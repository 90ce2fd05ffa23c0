import { isIPv6 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { HostPort } from './flow.ts';

/** Asking the kernel takes 60 µs, and several times for each call: once a second is soon enough for an address that changes. */
const knownForMs = 1_000;
let known: readonly NetworkInterfaceInfo[] | undefined;

/** Which of this machine's addresses a peer at `remote` should be told, when we listen on a wildcard address. */
export function localAddressFor(remote: string): string {
  const isV6 = isIPv6(remote);
  if (isLoopback(remote)) return isV6 ? '::1' : '127.0.0.1';
  const mine = interfacesNow().filter(
    (entry) => !entry.internal && (entry.family === 'IPv6') === isV6 && !entry.address.startsWith('fe80'),
  );
  const best = mine.toSorted((a, b) => commonPrefix(b.address, remote) - commonPrefix(a.address, remote))[0];
  return best?.address ?? (isV6 ? '::1' : '127.0.0.1');
}

/** A listening address as a peer at `remoteHost` can reach it: a wildcard is replaced. */
export function concrete(local: HostPort, remoteHost: string): HostPort {
  return isWildcard(local.host) ? { host: localAddressFor(remoteHost), port: local.port } : local;
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

export function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1' || host.startsWith('::ffff:127.');
}

function commonPrefix(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}

function interfacesNow(): readonly NetworkInterfaceInfo[] {
  if (known === undefined) {
    known = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    setTimeout(() => {
      known = undefined;
    }, knownForMs).unref();
  }
  return known;
}
