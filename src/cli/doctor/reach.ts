import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

const ANSWERS_WITHIN_MS = 1_000;
/** Only a server that listens on all addresses answers here as well. */
const ODD_LOOPBACK = '127.77.7.7';

/** Addresses of this machine that lead outside. */
export function outwardAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Whether this machine is the one: only then can its files be looked at. */
export function isHere(host: string): boolean {
  return isLoopback(host) || outwardAddresses().includes(host);
}

/** Another address of this machine at which the server of `host` answers too; null: none does, or it runs elsewhere. */
export async function alsoReachedAt(host: string, port: number): Promise<string | null> {
  if (!isHere(host)) return null;
  const others = [ODD_LOOPBACK, ...outwardAddresses()].filter((address) => address !== host).slice(0, 16);
  const reached = await Promise.all(others.map(async (address) => ((await isReached(address, port)) ? [address] : [])));
  return reached.flat().at(-1) ?? null;
}

function isReached(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (is: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(is);
    };
    const timer = setTimeout(() => end(false), ANSWERS_WITHIN_MS);
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}
