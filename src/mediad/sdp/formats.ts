/** Our codecs as a session description names them. */
import type { Codec, CodecName } from '../media/codec/codec-types.ts';
import type { MediaDescription, PayloadFormat } from './session-description.ts';

export interface AgreedFormat {
  readonly codec: Codec;
  readonly payloadType: number;
}

const DEFAULT_PTIME_MS = 20;
const LONGEST_PTIME_MS = 60;

/** In our offers; payload types from 96 on are ours to choose. */
const OFFERED: Readonly<Record<CodecName, readonly AgreedFormat[]>> = {
  PCMU: [offered('PCMU', 0, 8000, 8000)],
  PCMA: [offered('PCMA', 8, 8000, 8000)],
  G722: [offered('G722', 9, 16_000, 8000)],
  OPUS: [offered('OPUS', 96, 16_000, 48_000)],
  L16: [offered('L16', 97, 16_000, 16_000), offered('L16', 98, 8000, 8000)],
};

function offered(name: CodecName, payloadType: number, rate: Codec['rate'], clockRate: number): AgreedFormat {
  return { codec: { name, rate, clockRate, ptimeMs: DEFAULT_PTIME_MS }, payloadType };
}

export function offeredFormats(codecs: readonly CodecName[]): readonly AgreedFormat[] {
  return codecs.flatMap((name) => OFFERED[name]);
}

/** undefined: a format that is none of these codecs. */
export function readFormat(
  format: PayloadFormat,
  codecs: readonly CodecName[],
  ptimeMs: number | undefined,
): AgreedFormat | undefined {
  const found = offeredFormats(codecs).find(
    ({ codec }) =>
      codec.name === format.name &&
      codec.clockRate === format.rate &&
      format.channels === (codec.name === 'OPUS' ? 2 : 1),
  );
  if (found === undefined) return undefined;
  return { codec: { ...found.codec, ptimeMs: packetMs(found.codec.name, ptimeMs) }, payloadType: format.payloadType };
}

/** What the other side asks for, if we can make it: tens of milliseconds, and of Opus what it has frames for. */
function packetMs(name: CodecName, wantedMs: number | undefined): number {
  const tens = Math.min(LONGEST_PTIME_MS, Math.floor((wantedMs ?? DEFAULT_PTIME_MS) / 10) * 10);
  const isMade = tens >= 10 && (name !== 'OPUS' || tens === 10 || tens % 20 === 0);
  return isMade ? tens : DEFAULT_PTIME_MS;
}

/** rtpmap and fmtp of a format. */
export function formatLines({ codec, payloadType }: AgreedFormat): string {
  const { name, clockRate } = codec;
  if (name !== 'OPUS') return `a=rtpmap:${payloadType} ${name}/${clockRate}\r\n`;
  // RFC 7587 4.1: two channels are written whatever is sent.
  return `a=rtpmap:${payloadType} opus/48000/2\r\na=fmtp:${payloadType} useinbandfec=1;maxplaybackrate=16000;stereo=0\r\n`;
}

/** Comfort noise for a codec of the same clock (RFC 3389 5); undefined: the other side takes none. */
export function readNoiseType(audio: MediaDescription, { clockRate }: Codec): number | undefined {
  return audio.formats.find(({ name, rate }) => name === 'CN' && rate === clockRate)?.payloadType;
}

/** The digits that go with a codec: those of its clock if there are such (RFC 4733 2.1), else those of 8 kHz. */
export function readEvents(
  audio: MediaDescription,
  { clockRate }: Codec,
): { readonly payloadType: number; readonly clockRate: number } | undefined {
  const events = audio.formats.filter((format) => format.name === 'TELEPHONE-EVENT');
  const fitting = events.find(({ rate }) => rate === clockRate) ?? events.find(({ rate }) => rate === 8000);
  return fitting === undefined ? undefined : { payloadType: fitting.payloadType, clockRate: fitting.rate };
}
