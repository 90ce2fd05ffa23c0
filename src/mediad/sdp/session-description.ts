/** Session descriptions, RFC 8866: only what telephone audio needs, with bounds on everything. */
import { type Fingerprint, readFingerprint } from '../dtls/fingerprint.ts';
import { type CryptoLine, readCryptoLine } from './crypto-line.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface PayloadFormat {
  readonly payloadType: number;
  /** In capitals: PCMU, PCMA, TELEPHONE-EVENT. */
  readonly name: string;
  readonly rate: number;
  readonly channels: number;
}

export interface MediaDescription {
  readonly media: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly PayloadFormat[];
  /** As written, to mirror a refused line. */
  readonly formatText: string;
  readonly address: string;
  readonly direction: Direction;
  /** What it asks for (ptime), no more than it can take (maxptime). */
  readonly ptimeMs: number | undefined;
  /** RFC 3605; undefined: the port above that of RTP. */
  readonly controlPort: number | undefined;
  /** RTCP shares the port of RTP, RFC 5761. */
  readonly isControlMuxed: boolean;
  /** Those of `a=crypto` that we could use. */
  readonly crypto: readonly CryptoLine[];
  /** Those of `a=fingerprint` that prove something; its own or the session's. */
  readonly fingerprints: readonly Fingerprint[];
  /** Who begins with DTLS: active, passive, actpass, holdconn. */
  readonly setup: string | undefined;
  readonly iceUfrag: string | undefined;
  /** Its name in `a=group`, RFC 5888. */
  readonly mid: string | undefined;
}

export interface SessionDescription {
  /** The other side sends no checks of ICE. */
  readonly isIceLite: boolean;
  /** It wants its media on one port (RFC 9143). */
  readonly isBundled: boolean;
  readonly media: readonly MediaDescription[];
}

export type SdpResult =
  | { readonly kind: 'parsed'; readonly session: SessionDescription }
  | { readonly kind: 'refused'; readonly reason: string };

export const MAX_SDP_BYTES = 16_384;
const MAX_MEDIA = 4;
const MAX_FORMATS = 32;
/** A browser with many networks names each of them. */
const MAX_ATTRIBUTES = 128;
const MAX_FINGERPRINTS = 8;

/** Payload types that need no rtpmap, RFC 3551. */
const STATIC_FORMATS: Readonly<Record<number, string>> = { 0: 'PCMU', 8: 'PCMA', 9: 'G722', 13: 'CN' };
const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

interface Section {
  address: string | undefined;
  direction: Direction | undefined;
  ptimeMs: number | undefined;
  attributes: number;
  readonly fingerprints: Fingerprint[];
  setup: string | undefined;
  iceUfrag: string | undefined;
}

interface MediaSection extends Section {
  maxPtimeMs?: number;
  readonly media: string;
  readonly port: number;
  readonly protocol: string;
  readonly payloadTypes: readonly string[];
  readonly maps: Map<number, { name: string; rate: number; channels: number }>;
  controlPort: number | undefined;
  isControlMuxed: boolean;
  readonly crypto: CryptoLine[];
  mid: string | undefined;
}

/** Never throws. Unknown lines and attributes are skipped. */
export function parseSdp(text: string): SdpResult {
  if (text.length > MAX_SDP_BYTES) return refuse(`larger than ${MAX_SDP_BYTES} bytes`);
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (!lines[0]?.startsWith('v=0')) return refuse('does not begin with v=0');
  const session = { ...newSection(), isIceLite: false, isBundled: false };
  const sections: MediaSection[] = [];
  for (const line of lines) {
    const value = line.slice(2);
    const section = sections.at(-1) ?? session;
    if (line.startsWith('m=')) {
      const media = parseMediaLine(value);
      if (typeof media === 'string') return refuse(media);
      if (sections.length === MAX_MEDIA) return refuse(`more than ${MAX_MEDIA} media lines`);
      sections.push(media);
    } else if (line.startsWith('c=')) {
      const address = /^IN IP4 (\d{1,3}(?:\.\d{1,3}){3})(?:\/\d+)?$/.exec(value.trim())?.[1];
      if (address === undefined) return refuse('a connection line that is not IPv4');
      section.address = address;
    } else if (line.startsWith('a=')) {
      section.attributes += 1;
      if (section.attributes > MAX_ATTRIBUTES) return refuse(`more than ${MAX_ATTRIBUTES} attributes`);
      if (value === 'ice-lite') session.isIceLite = true;
      if (value.startsWith('group:BUNDLE ')) session.isBundled = true;
      readAttribute(value, section, sections.at(-1));
    }
  }
  const { isIceLite, isBundled } = session;
  return {
    kind: 'parsed',
    session: { isIceLite, isBundled, media: sections.map((section) => finish(section, session)) },
  };
}

function newSection(): Section {
  return {
    address: undefined,
    direction: undefined,
    ptimeMs: undefined,
    attributes: 0,
    fingerprints: [],
    setup: undefined,
    iceUfrag: undefined,
  };
}

function parseMediaLine(value: string): MediaSection | string {
  const [media = '', port = '', protocol = '', ...payloadTypes] = value.trim().split(/ +/);
  if (!/^\d{1,5}(\/\d{1,2})?$/.test(port)) return 'a media line without a port';
  if (payloadTypes.length === 0) return 'a media line without formats';
  if (payloadTypes.length > MAX_FORMATS) return `more than ${MAX_FORMATS} formats`;
  return {
    media,
    port: Number.parseInt(port, 10),
    protocol,
    payloadTypes,
    maps: new Map(),
    controlPort: undefined,
    isControlMuxed: false,
    crypto: [],
    mid: undefined,
    ...newSection(),
  };
}

function readAttribute(value: string, section: Section, media: MediaSection | undefined): void {
  if (DIRECTIONS.includes(value)) {
    section.direction = value as Direction;
    return;
  }
  readSecurity(value, section);
  if (media === undefined) return;
  media.mid = /^mid:([\w.+-]{1,32})$/.exec(value)?.[1] ?? media.mid;
  const ptime = /^ptime:(\d{1,4})$/.exec(value);
  if (ptime !== null) media.ptimeMs = Number(ptime[1]);
  const longest = /^maxptime:(\d{1,4})$/.exec(value);
  if (longest !== null) media.maxPtimeMs = Number(longest[1]);
  const crypto = value.startsWith('crypto:') ? readCryptoLine(value.slice('crypto:'.length)) : undefined;
  if (crypto !== undefined) media.crypto.push(crypto);
  if (value === 'rtcp-mux') media.isControlMuxed = true;
  const control = /^rtcp:(\d{1,5})(?: |$)/.exec(value);
  if (control !== null) media.controlPort = readPort(control[1]!);
  const map = /^rtpmap:(\d{1,3}) ([\w.+-]{1,32})\/(\d{1,6})(?:\/(\d))?/.exec(value);
  if (map === null) return;
  const [, payloadType = '', name = '', rate = '', channels = '1'] = map;
  media.maps.set(Number(payloadType), {
    name: name.toUpperCase(),
    rate: Number(rate),
    channels: Number(channels),
  });
}

/** What may stand for all media, or for one. */
function readSecurity(value: string, section: Section): void {
  section.setup = /^setup:(\w{1,16})$/.exec(value)?.[1] ?? section.setup;
  section.iceUfrag = /^ice-ufrag:([A-Za-z0-9+/]{4,256})$/.exec(value)?.[1] ?? section.iceUfrag;
  if (!value.startsWith('fingerprint:') || section.fingerprints.length === MAX_FINGERPRINTS) return;
  const fingerprint = readFingerprint(value.slice('fingerprint:'.length));
  if (fingerprint !== undefined) section.fingerprints.push(fingerprint);
}

/** undefined for what a phone cannot listen on. */
function readPort(digits: string): number | undefined {
  const port = Number(digits);
  return port >= 1024 && port <= 65_535 ? port : undefined;
}

const USUAL_MS = 20;
const LEAST_MS = 10;

/** What it asks for, but no more than it can take. A limit below what is ever sent is none. */
function packetMs({ ptimeMs, maxPtimeMs = 0 }: MediaSection): number | undefined {
  return maxPtimeMs < LEAST_MS ? ptimeMs : Math.min(ptimeMs ?? USUAL_MS, maxPtimeMs);
}

function finish(section: MediaSection, session: Section): MediaDescription {
  return {
    media: section.media,
    port: section.port,
    protocol: section.protocol,
    formats: section.payloadTypes.flatMap((text) => format(text, section)),
    formatText: section.payloadTypes.join(' '),
    address: section.address ?? session.address ?? '0.0.0.0',
    direction: section.direction ?? session.direction ?? 'sendrecv',
    ptimeMs: packetMs(section),
    controlPort: section.controlPort,
    isControlMuxed: section.isControlMuxed,
    crypto: section.crypto,
    fingerprints: section.fingerprints.length > 0 ? section.fingerprints : session.fingerprints,
    setup: section.setup ?? session.setup,
    iceUfrag: section.iceUfrag ?? session.iceUfrag,
    mid: section.mid,
  };
}

function format(text: string, section: MediaSection): PayloadFormat[] {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 127) return [];
  const payloadType = Number(text);
  const map = section.maps.get(payloadType);
  if (map !== undefined) return [{ payloadType, ...map }];
  const name = STATIC_FORMATS[payloadType];
  return name === undefined ? [] : [{ payloadType, name, rate: 8000, channels: 1 }];
}

function refuse(reason: string): SdpResult {
  return { kind: 'refused', reason };
}
