/** Offer and answer, RFC 3264, for one audio stream of G.711 with telephone events. */
import type { G711 } from '../media/g711.ts';
import { parseSdp, type Direction, type MediaDescription, type SessionDescription } from './session-description.ts';

export interface LocalMedia {
  /** Written into c=. */
  readonly address: string;
  readonly port: number;
  readonly sessionId: string;
  /** Counts up with each description sent. */
  readonly version: number;
}

/** What the two sides agreed on, from our side. */
export interface AgreedMedia {
  readonly codec: G711;
  readonly payloadType: number;
  /** undefined: the other side takes no RFC 4733 digits. */
  readonly eventPayloadType: number | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** inactive also for a black hole: our own address, or none. */
  readonly direction: Direction;
}

export type AnswerResult =
  | { readonly kind: 'answered'; readonly sdp: string; readonly agreed: AgreedMedia }
  | { readonly kind: 'refused'; readonly reason: string };

export type AgreeResult =
  | { readonly kind: 'agreed'; readonly agreed: AgreedMedia }
  | { readonly kind: 'refused'; readonly reason: string };

const OUR_EVENT_PAYLOAD_TYPE = 101;
const OUR_FORMATS: readonly { name: G711; payloadType: number }[] = [
  { name: 'PCMU', payloadType: 0 },
  { name: 'PCMA', payloadType: 8 },
];
const PROTOCOLS: readonly string[] = ['RTP/AVP', 'RTP/AVPF'];

/** The first codec of the offer that we speak. Everything but the first audio line is refused with port 0. */
export function answerSdp(offer: string, local: LocalMedia): AnswerResult {
  const parsed = parseSdp(offer);
  if (parsed.kind === 'refused') return parsed;
  const agreement = agree(parsed.session, local);
  if (agreement.kind === 'refused') return agreement;
  const { agreed } = agreement;
  const audio = parsed.session.media.find(isUsable);
  const lines = parsed.session.media.map((media) =>
    media === audio
      ? audioLines(media.protocol, local, [agreed], agreed.eventPayloadType, mirror(media))
      : `m=${media.media} 0 ${media.protocol} ${media.formatText}\r\n`,
  );
  return { kind: 'answered', sdp: head(local) + lines.join(''), agreed };
}

/** Our offer: both laws, events, sendrecv. */
export function offerSdp(local: LocalMedia): string {
  const formats = OUR_FORMATS.map(({ name, payloadType }) => ({ codec: name, payloadType }));
  return head(local) + audioLines('RTP/AVP', local, formats, OUR_EVENT_PAYLOAD_TYPE, 'sendrecv');
}

/** Reads the answer to our offer. An answer that names our own address and port is a black hole: agreed, and inactive. */
export function readAnswer(answer: string, local: LocalMedia): AgreeResult {
  const parsed = parseSdp(answer);
  return parsed.kind === 'refused' ? parsed : agree(parsed.session, local);
}

function agree(session: SessionDescription, local: LocalMedia): AgreeResult {
  const audio = session.media.find(isUsable);
  if (audio === undefined) return refuse('no audio over plain RTP');
  const { ptimeMs } = audio;
  if (ptimeMs !== undefined && (ptimeMs < 10 || ptimeMs > 120))
    return refuse(`ptime ${ptimeMs} is not within 10 to 120`);
  const codec = audio.formats.find((format) => isG711(format.name) && format.rate === 8000 && format.channels === 1);
  if (codec === undefined) return refuse('no common codec; PCMU and PCMA are spoken here');
  if (audio.port < 1024 || audio.port > 65_535) return refuse(`port ${audio.port} is not within 1024 to 65535`);
  const events = audio.formats.find((format) => format.name === 'TELEPHONE-EVENT' && format.rate === 8000);
  return {
    kind: 'agreed',
    agreed: {
      codec: codec.name as G711,
      payloadType: codec.payloadType,
      eventPayloadType: events?.payloadType,
      remoteAddress: audio.address,
      remotePort: audio.port,
      direction: isReachable(audio, local) ? mirror(audio) : 'inactive',
    },
  };
}

function isUsable(media: MediaDescription): boolean {
  return media.media === 'audio' && media.port !== 0 && PROTOCOLS.includes(media.protocol);
}

function isG711(name: string): boolean {
  return name === 'PCMU' || name === 'PCMA';
}

/** Never send to nobody (old-style hold), to a group, or to ourselves. */
function isReachable(audio: MediaDescription, local: LocalMedia): boolean {
  const first = Number.parseInt(audio.address, 10);
  if (first === 0 || first >= 224 || audio.address.split('.').some((part) => Number(part) > 255)) return false;
  return !(audio.port === local.port && (audio.address === local.address || first === 127));
}

/** The same stream seen from the other end. c=0.0.0.0 is the hold of RFC 2543: they do not listen. */
function mirror(audio: MediaDescription): Direction {
  const isDeaf = audio.address === '0.0.0.0';
  switch (audio.direction) {
    case 'sendrecv':
      return isDeaf ? 'recvonly' : 'sendrecv';
    case 'sendonly':
      return 'recvonly';
    case 'recvonly':
      return isDeaf ? 'inactive' : 'sendonly';
    case 'inactive':
      return 'inactive';
  }
}

function head(local: LocalMedia): string {
  return (
    'v=0\r\n' +
    `o=wardline ${local.sessionId} ${local.version} IN IP4 ${local.address}\r\n` +
    's=-\r\n' +
    `c=IN IP4 ${local.address}\r\n` +
    't=0 0\r\n'
  );
}

function audioLines(
  protocol: string,
  local: LocalMedia,
  formats: readonly { codec: G711; payloadType: number }[],
  eventPayloadType: number | undefined,
  direction: Direction,
): string {
  const types = [
    ...formats.map((format) => format.payloadType),
    ...(eventPayloadType === undefined ? [] : [eventPayloadType]),
  ];
  const maps = formats.map((format) => `a=rtpmap:${format.payloadType} ${format.codec}/8000\r\n`);
  const events =
    eventPayloadType === undefined
      ? ''
      : `a=rtpmap:${eventPayloadType} telephone-event/8000\r\na=fmtp:${eventPayloadType} 0-15\r\n`;
  return `m=audio ${local.port} ${protocol} ${types.join(' ')}\r\n${maps.join('')}${events}a=ptime:20\r\na=${direction}\r\n`;
}

function refuse(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}
