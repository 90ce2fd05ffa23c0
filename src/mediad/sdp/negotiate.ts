/** Offer and answer, RFC 3264, for one audio stream with telephone events. */
import type { Codec, CodecName } from '../media/codec/codec-types.ts';
import type { SrtpKeys } from '../media/messages.ts';
import { type MasterKey, SUITE_NAMES, type SuiteName } from '../srtp/suites.ts';
import { cryptoLine, type CryptoLine } from './crypto-line.ts';
import { type AgreedFormat, formatLines, offeredFormats, readEvents, readFormat, readNoiseType } from './formats.ts';
import { parseSdp, type Direction, type MediaDescription, type SessionDescription } from './session-description.ts';

export interface LocalMedia {
  /** Written into c=. */
  readonly address: string;
  readonly port: number;
  /** Of RTCP. */
  readonly controlPort: number;
  readonly sessionId: string;
  /** Counts up with each description sent. */
  readonly version: number;
  readonly codecs: CodecChoice;
  readonly security: LocalSecurity;
}

export interface LocalSecurity {
  /** Our offers are encrypted, and what is offered or answered in the clear is refused. */
  readonly isRequired: boolean;
  /** Our key of a suite: always the same one, for it may be in an offer that is answered later. */
  readonly keyOf: (suite: SuiteName) => MasterKey;
}

export interface CodecChoice {
  readonly names: readonly CodecName[];
  /** Whose order decides when several are common. */
  readonly order: 'offer' | 'ours';
}

/** What the two sides agreed on, from our side. */
export interface AgreedMedia {
  readonly codec: Codec;
  readonly payloadType: number;
  /** Digits by RFC 4733; undefined: the other side takes none. */
  readonly events: { readonly payloadType: number; readonly clockRate: number } | undefined;
  /** Payload type of comfort noise; undefined: the other side takes none. */
  readonly noise: number | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Where RTCP goes; `muxed`: on the port of the sound (RFC 5761). undefined: nowhere. */
  readonly control: { readonly address: string; readonly port: number } | 'muxed' | undefined;
  /** inactive also for a black hole: our own address, or none. */
  readonly direction: Direction;
  /** undefined: in the clear. */
  readonly srtp: SrtpKeys | undefined;
}

export type AnswerResult =
  | { readonly kind: 'answered'; readonly sdp: string; readonly agreed: AgreedMedia }
  | { readonly kind: 'refused'; readonly reason: string };

export type AgreeResult =
  | { readonly kind: 'agreed'; readonly agreed: AgreedMedia }
  | { readonly kind: 'refused'; readonly reason: string };

/** By the clock of the sound that they go with. */
const OUR_EVENTS = { 8000: 101, 48_000: 102 } as const;
const PLAIN: readonly string[] = ['RTP/AVP', 'RTP/AVPF'];
const SECURE: readonly string[] = ['RTP/SAVP', 'RTP/SAVPF'];

/**
 * One codec of the offer that we speak, by whose order counts. Everything but one audio line is refused with port 0: the
 * first encrypted one, or else the first.
 */
export function answerSdp(offer: string, local: LocalMedia): AnswerResult {
  const parsed = parseSdp(offer);
  if (parsed.kind === 'refused') return parsed;
  const agreement = agree(parsed.session, local);
  if (agreement.kind === 'refused') return agreement;
  const { agreed, audio, answeredCrypto } = agreement;
  const lines = parsed.session.media.map((media) =>
    media === audio
      ? audioLines(media.protocol, local, {
          formats: [agreed],
          events: agreed.events === undefined ? [] : [agreed.events],
          noise: agreed.noise,
          isControlMuxed: agreed.control === 'muxed',
          crypto: answeredCrypto,
          direction: mirror(media),
        })
      : `m=${media.media} 0 ${media.protocol} ${media.formatText}\r\n`,
  );
  return { kind: 'answered', sdp: head(local) + lines.join(''), agreed };
}

/** Our offer: all our codecs in our order, events, sendrecv. */
export function offerSdp(local: LocalMedia): string {
  const formats = offeredFormats(local.codecs.names);
  const events = Object.entries(OUR_EVENTS)
    .map(([clockRate, payloadType]) => ({ clockRate: Number(clockRate), payloadType }))
    .filter(({ clockRate }) => clockRate === 8000 || formats.some(({ codec }) => codec.clockRate === clockRate));
  const { isRequired, keyOf } = local.security;
  const crypto = SUITE_NAMES.map((suite, i) => ({ tag: i + 1, master: keyOf(suite) }));
  const stream = {
    formats,
    events,
    // Who takes it may send it; nobody is asked to leave out what is not speech.
    noise: undefined,
    isControlMuxed: true,
    crypto: isRequired ? crypto : [],
    direction: 'sendrecv',
  } as const;
  return head(local) + audioLines(isRequired ? 'RTP/SAVP' : 'RTP/AVP', local, stream);
}

/** Reads the answer to our offer. An answer that names our own address and port is a black hole: agreed, and inactive. */
export function readAnswer(answer: string, local: LocalMedia): AgreeResult {
  const parsed = parseSdp(answer);
  return parsed.kind === 'refused' ? parsed : agree(parsed.session, local);
}

/** With the line that is spoken on, and what an answer says there about its key. */
type Agreement =
  | {
      readonly kind: 'agreed';
      readonly agreed: AgreedMedia;
      readonly audio: MediaDescription;
      readonly answeredCrypto: readonly CryptoLine[];
    }
  | { readonly kind: 'refused'; readonly reason: string };

function agree(session: SessionDescription, local: LocalMedia): Agreement {
  const audios = session.media.filter(({ media, port }) => media === 'audio' && port !== 0);
  const secure = audios.filter(({ protocol }) => SECURE.includes(protocol));
  const audio =
    secure.find(({ crypto }) => crypto.length > 0) ?? audios.find(({ protocol }) => PLAIN.includes(protocol));
  if (audio === undefined) return refuse(whyUnusable(audios, secure));
  const crypto = SECURE.includes(audio.protocol) ? audio.crypto[0] : undefined;
  const srtp = crypto && { ours: local.security.keyOf(crypto.master.suite), theirs: crypto.master };
  if (srtp === undefined && local.security.isRequired)
    return refuse(`${audio.protocol} is not encrypted, and this leg must be: enable SRTP (SDES) at the phone`);
  const { ptimeMs } = audio;
  if (ptimeMs !== undefined && (ptimeMs < 10 || ptimeMs > 120))
    return refuse(`ptime ${ptimeMs} is not within 10 to 120`);
  const format = chooseFormat(audio, local.codecs);
  if (format === undefined) return refuse(`no common codec; spoken here: ${local.codecs.names.join(', ')}`);
  if (audio.port < 1024 || audio.port > 65_535) return refuse(`port ${audio.port} is not within 1024 to 65535`);
  return {
    kind: 'agreed',
    agreed: {
      ...format,
      events: readEvents(audio, format.codec),
      noise: readNoiseType(audio, format.codec),
      remoteAddress: audio.address,
      remotePort: audio.port,
      control: controlOf(audio),
      direction: isReachable(audio, local) ? mirror(audio) : 'inactive',
      srtp,
    },
    audio,
    answeredCrypto: crypto && srtp ? [{ tag: crypto.tag, master: srtp.ours }] : [],
  };
}

function whyUnusable(audios: readonly MediaDescription[], secure: readonly MediaDescription[]): string {
  if (secure.length > 0) return `no a=crypto that is spoken here: ${SUITE_NAMES.join(', ')}`;
  const protocols = audios.map(({ protocol }) => protocol);
  return protocols.length === 0 ? 'no audio' : `audio over ${protocols.join(', ')} is not spoken here`;
}

function chooseFormat(audio: MediaDescription, { names, order }: CodecChoice): AgreedFormat | undefined {
  const common = audio.formats.flatMap((format) => readFormat(format, names, audio.ptimeMs) ?? []);
  if (order === 'offer') return common[0];
  return names.flatMap((name) => common.find(({ codec }) => codec.name === name) ?? [])[0];
}

/** At the address of the sound, whatever `a=rtcp` says: nobody shall have us send reports to somebody else. */
function controlOf(audio: MediaDescription): AgreedMedia['control'] {
  if (audio.isControlMuxed) return 'muxed';
  const port = audio.controlPort ?? audio.port + 1;
  return port > 65_535 ? undefined : { address: audio.address, port };
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
  stream: {
    readonly formats: readonly AgreedFormat[];
    readonly events: readonly { readonly payloadType: number; readonly clockRate: number }[];
    readonly noise: number | undefined;
    /** In an offer: if the other side likes (RFC 5761 5.1.1). */
    readonly isControlMuxed: boolean;
    readonly crypto: readonly CryptoLine[];
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
  const control = local.controlPort === local.port + 1 ? '' : `a=rtcp:${local.controlPort}\r\n`;
  const noiseMap = noise.map((payloadType) => `a=rtpmap:${payloadType} CN/${formats[0]!.codec.clockRate}\r\n`).join('');
  const muxed = stream.isControlMuxed ? 'a=rtcp-mux\r\n' : '';
  return (
    `m=audio ${local.port} ${protocol} ${types.join(' ')}\r\n${maps}${digits}${noiseMap}a=ptime:${ptimeMs}\r\n` +
    stream.crypto.map(cryptoLine).join('') +
    `${control}${muxed}a=${stream.direction}\r\n`
  );
}

function refuse(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}
