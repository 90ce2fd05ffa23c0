/** Our side of a session description, RFC 8866. */
import { type AgreedFormat, formatLines } from './formats.ts';
import type { Direction } from './session-description.ts';

/** Where we are. */
export interface LocalPlace {
  /** Written into c=. */
  readonly address: string;
  readonly port: number;
  /** Of RTCP. */
  readonly controlPort: number;
  readonly sessionId: string;
  /** Counts up with each description sent. */
  readonly version: number;
}

/** What stands before the first m-line. */
export function headLines(
  local: LocalPlace,
  about: {
    readonly isIceLite: boolean;
    /** The name of the one line that is on this port. */
    readonly bundled: string | undefined;
  },
): string {
  const lite = about.isIceLite ? 'a=ice-lite\r\n' : '';
  const bundle = about.bundled === undefined ? '' : `a=group:BUNDLE ${about.bundled}\r\n`;
  return (
    'v=0\r\n' +
    `o=wardline ${local.sessionId} ${local.version} IN IP4 ${local.address}\r\n` +
    's=-\r\n' +
    `c=IN IP4 ${local.address}\r\n` +
    't=0 0\r\n' +
    lite +
    bundle
  );
}

/** The one m-line that is spoken on, with all that belongs to it. */
export function audioLines(
  protocol: string,
  local: LocalPlace,
  stream: {
    readonly formats: readonly AgreedFormat[];
    readonly events: readonly { readonly payloadType: number; readonly clockRate: number }[];
    readonly noise: number | undefined;
    /** In an offer: if the other side likes (RFC 5761 5.1.1). */
    readonly isControlMuxed: boolean;
    /** Lines about keys. */
    readonly security: string;
    readonly mid: string | undefined;
    readonly direction: Direction;
  },
): string {
  const { formats, events } = stream;
  const noise = stream.noise === undefined ? [] : [stream.noise];
  const types = [...[...formats, ...events].map(({ payloadType }) => payloadType), ...noise];
  const maps = formats.map(formatLines).join('');
  const digits = events
    .map(
      ({ payloadType, clockRate }) =>
        `a=rtpmap:${payloadType} telephone-event/${clockRate}\r\na=fmtp:${payloadType} 0-15\r\n`,
    )
    .join('');
  const ptimeMs = formats.length === 1 ? formats[0]!.codec.ptimeMs : 20;
  // RFC 3605 2.1: the port of RTCP is said where it is not the next one.
  const isShared = local.controlPort === local.port + 1 || (stream.isControlMuxed && protocol.includes('TLS'));
  const control = isShared ? '' : `a=rtcp:${local.controlPort}\r\n`;
  const noiseMap = noise.map((payloadType) => `a=rtpmap:${payloadType} CN/${formats[0]!.codec.clockRate}\r\n`).join('');
  const muxed = stream.isControlMuxed ? 'a=rtcp-mux\r\n' : '';
  return (
    `m=audio ${local.port} ${protocol} ${types.join(' ')}\r\n${maps}${digits}${noiseMap}a=ptime:${ptimeMs}\r\n` +
    `${stream.mid === undefined ? '' : `a=mid:${stream.mid}\r\n`}${stream.security}${control}${muxed}a=${stream.direction}\r\n`
  );
}
