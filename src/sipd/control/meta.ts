import type { HostPort, Protocol } from '../../sip/index.ts';

/** `HH:MM:SS.uuuuuu` in UTC, as drachtio writes times. Arithmetic, because Date formatting costs more than the rest. */
export function timeToken(atMs: number): string {
  const seconds = Math.floor(atMs / 1_000) % 86_400;
  const clock = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${clock}.${String(Math.floor(atMs) % 1_000).padStart(3, '0')}000`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

// Apps know three, as drachtio has them: WebSockets are TCP to them, and the Via says more.
function shown(protocol: Protocol): string {
  return protocol === 'ws' || protocol === 'wss' ? 'tcp' : protocol;
}

/** The tokens every meta line about a SIP message shares: bytes, protocol, address, port, time. */
export function metaTokens(message: Buffer, protocol: Protocol, address: HostPort, atMs: number): string {
  return `${message.length}|${shown(protocol)}|${address.host}|${address.port}|${timeToken(atMs)}`;
}
