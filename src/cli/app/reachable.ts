import { parseListen, type Transport } from '../../config/index.ts';

/** The address a softphone is given: one that listens on every address is reached by the advertised one. */
export function reachable(text: string, advertised: string): { transport: Transport; address: string } {
  const listen = parseListen(text);
  if (listen === null) return { transport: 'udp', address: text };
  const isAny = listen.host === '0.0.0.0' || listen.host === '::';
  return { transport: listen.transport, address: hostAndPort(`${isAny ? advertised : listen.host}:`, listen.port) };
}

export function hostAndPort(listen: string, port: number): string {
  return `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`;
}
