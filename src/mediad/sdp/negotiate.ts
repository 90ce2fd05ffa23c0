/** Offer and answer, RFC 3264, for one audio stream with telephone events: in the clear, by SDES or by DTLS. */
import type { Codec, CodecName } from '../media/codec/codec-types.ts';
import type { SrtpKeys } from '../media/messages.ts';
import { type MasterKey, SUITE_NAMES, type SuiteName } from '../srtp/suites.ts';
import { cryptoLine } from './crypto-line.ts';
import { type AgreedDtls, dtlsLines, type LocalDtls, readDtls } from './dtls-lines.ts';
import { audioLines, headLines, type LocalPlace } from './description-lines.ts';
import { type AgreedFormat, offeredFormats, readEvents, readFormat, readNoiseType } from './formats.ts';
import { parseSdp, type Direction, type MediaDescription, type SessionDescription } from './session-description.ts';

export interface LocalMedia extends LocalPlace {
  readonly codecs: CodecChoice;
  readonly security: LocalSecurity;
}

export interface LocalSecurity {
  /** What is offered or answered in the clear is refused. */
  readonly isRequired: boolean;
  /** How our offers are encrypted. */
  readonly offers: 'none' | 'sdes' | 'dtls';
  /** Our key of a suite: always the same one, for it may be in an offer that is answered later. */
  readonly keyOf: (suite: SuiteName) => MasterKey;
  /** Asked for when it is needed first: it takes a library that few legs need. Throws DtlsUnavailable. */
  readonly dtls: () => LocalDtls;
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
  readonly cipher: 'none' | 'sdes' | 'dtls';
  /** By SDES; undefined: in the clear, or by DTLS. */
  readonly srtp: SrtpKeys | undefined;
  /** undefined: no DTLS, or nobody there to speak it with. */
  readonly dtls: AgreedDtls | undefined;
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
const DTLS: readonly string[] = ['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP'];
/** Of the one line of our offers. */
const OUR_MID = '0';

/**
 * One codec of the offer that we speak, by whose order counts. Everything but one audio line is refused with port 0: the
 * first encrypted one, or else the first.
 */
export function answerSdp(offer: string, local: LocalMedia): AnswerResult {
  const parsed = parseSdp(offer);
  if (parsed.kind === 'refused') return parsed;
  const agreement = agree(parsed.session, local);
  if (agreement.kind === 'refused') return agreement;
  const { agreed, audio, answeredSecurity } = agreement;
  const bundled = parsed.session.isBundled ? audio.mid : undefined;
  const lines = parsed.session.media.map((media) =>
    media === audio
      ? audioLines(media.protocol, local, {
          formats: [agreed],
          events: agreed.events === undefined ? [] : [agreed.events],
          noise: agreed.noise,
          isControlMuxed: agreed.control === 'muxed',
          security: answeredSecurity,
          mid: media.mid,
          direction: mirror(media, agreed.dtls?.remoteUfrag !== undefined),
        })
      : `m=${media.media} 0 ${media.protocol} ${media.formatText}\r\n`,
  );
  const sdp = headLines(local, { isIceLite: agreed.dtls?.remoteUfrag !== undefined, bundled }) + lines.join('');
  return { kind: 'answered', sdp, agreed };
}

const OFFERED_AS = { none: 'RTP/AVP', sdes: 'RTP/SAVP', dtls: 'UDP/TLS/RTP/SAVPF' } as const;

/** Our offer: all our codecs in our order, events, sendrecv. */
export function offerSdp(local: LocalMedia): string {
  const formats = offeredFormats(local.codecs.names);
  const events = Object.entries(OUR_EVENTS)
    .map(([clockRate, payloadType]) => ({ clockRate: Number(clockRate), payloadType }))
    .filter(({ clockRate }) => clockRate === 8000 || formats.some(({ codec }) => codec.clockRate === clockRate));
  const { offers, keyOf } = local.security;
  const isDtls = offers === 'dtls';
  const security = {
    none: () => '',
    sdes: () => SUITE_NAMES.map((suite, i) => cryptoLine({ tag: i + 1, master: keyOf(suite) })).join(''),
    dtls: () => dtlsLines(local.security.dtls(), undefined, local),
  };
  const stream = {
    formats,
    events,
    // Who takes it may send it; nobody is asked to leave out what is not speech.
    noise: undefined,
    isControlMuxed: true,
    security: security[offers](),
    mid: isDtls ? OUR_MID : undefined,
    direction: 'sendrecv',
  } as const;
  const about = { isIceLite: isDtls, bundled: isDtls ? OUR_MID : undefined };
  return headLines(local, about) + audioLines(OFFERED_AS[offers], local, stream);
}

/** Reads the answer to our offer. An answer that names our own address and port is a black hole: agreed, and inactive. */
export function readAnswer(answer: string, local: LocalMedia): AgreeResult {
  const parsed = parseSdp(answer);
  return parsed.kind === 'refused' ? parsed : agree(parsed.session, local);
}

/** With the line that is spoken on, and what an answer says there about keys. */
type Agreement =
  | {
      readonly kind: 'agreed';
      readonly agreed: AgreedMedia;
      readonly audio: MediaDescription;
      readonly answeredSecurity: string;
    }
  | { readonly kind: 'refused'; readonly reason: string };

function agree(session: SessionDescription, local: LocalMedia): Agreement {
  const audios = session.media.filter(({ media, port }) => media === 'audio' && port !== 0);
  const audio =
    audios.find((media) => cipherOf(media) !== 'none') ?? audios.find(({ protocol }) => PLAIN.includes(protocol));
  if (audio === undefined) return refuse(whyUnusable(audios));
  const cipher = cipherOf(audio);
  if (cipher === 'none' && local.security.isRequired)
    return refuse(`${audio.protocol} is not encrypted, and this leg must be: enable SRTP at the phone`);
  const crypto = cipher === 'sdes' ? audio.crypto[0] : undefined;
  const srtp = crypto && { ours: local.security.keyOf(crypto.master.suite), theirs: crypto.master };
  const isOurs = isOurOwn(audio, local);
  const dtls = cipher === 'dtls' && !isOurs ? readDtls(audio, session, local.security.dtls()) : undefined;
  if (typeof dtls === 'string') return refuse(dtls);
  const { ptimeMs } = audio;
  if (ptimeMs !== undefined && (ptimeMs < 10 || ptimeMs > 120))
    return refuse(`ptime ${ptimeMs} is not within 10 to 120`);
  const format = chooseFormat(audio, local.codecs);
  if (format === undefined) return refuse(`no common codec; spoken here: ${local.codecs.names.join(', ')}`);
  const hasIce = dtls?.remoteUfrag !== undefined;
  // By ICE it is found whatever it says here: port 9 of nowhere means that it does not know yet (RFC 8840 4.3.1).
  if (!hasIce && (audio.port < 1024 || audio.port > 65_535))
    return refuse(`port ${audio.port} is not within 1024 to 65535`);
  return {
    kind: 'agreed',
    agreed: {
      ...format,
      events: readEvents(audio, format.codec),
      noise: readNoiseType(audio, format.codec),
      remoteAddress: audio.address,
      remotePort: audio.port,
      control: controlOf(audio),
      direction: hasIce || (isReachable(audio) && !isOurs) ? mirror(audio, hasIce) : 'inactive',
      cipher,
      srtp,
      dtls,
    },
    audio,
    answeredSecurity:
      (crypto && srtp ? cryptoLine({ tag: crypto.tag, master: srtp.ours }) : '') +
      (dtls === undefined ? '' : dtlsLines(local.security.dtls(), dtls, local)),
  };
}

/** Who says that it is encrypted and gives no key does not do it. */
function cipherOf({ protocol, crypto, fingerprints }: MediaDescription): AgreedMedia['cipher'] {
  if (SECURE.includes(protocol) && crypto.length > 0) return 'sdes';
  return DTLS.includes(protocol) && fingerprints.length > 0 ? 'dtls' : 'none';
}

function whyUnusable(audios: readonly MediaDescription[]): string {
  if (audios.some(({ protocol }) => DTLS.includes(protocol)))
    return 'DTLS without a=fingerprint of sha-256, sha-384 or sha-512';
  if (audios.some(({ protocol }) => SECURE.includes(protocol)))
    return `no a=crypto that is spoken here: ${SUITE_NAMES.join(', ')}`;
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

/** Never send to nobody (old-style hold) or to a group. */
function isReachable(audio: MediaDescription): boolean {
  const first = Number.parseInt(audio.address, 10);
  return first !== 0 && first < 224 && audio.address.split('.').every((part) => Number(part) <= 255);
}

/** A black hole: our own description, handed back to us. */
function isOurOwn({ address, port }: MediaDescription, local: LocalMedia): boolean {
  return port === local.port && (address === local.address || address.startsWith('127.'));
}

/** The same stream seen from the other end. c=0.0.0.0 is the hold of RFC 2543: they do not listen. */
function mirror(audio: MediaDescription, hasIce = false): Direction {
  const isDeaf = audio.address === '0.0.0.0' && !hasIce;
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

function refuse(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}
