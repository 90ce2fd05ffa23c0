import type { HostPort, Protocol } from '../../sip/index.ts';

/** `HH:MM:SS.uuuuuu` in UTC, as drachtio writes times. */
export function timeToken(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 23)}000`;
}

/** The tokens every meta line about a SIP message shares: bytes, protocol, address, port, time. */
export function metaTokens(message: Buffer, protocol: Protocol, address: HostPort, atMs: number): string {
  return `${message.length}|${protocol}|${address.host}|${address.port}|${timeToken(atMs)}`;
}
