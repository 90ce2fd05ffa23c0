import type { MediaFacts } from '../core/call/index.ts';

/** Only the few facts that routing and the audit need; the media itself is the media server's business. */
export interface SdpFacts {
  readonly hasAudio: boolean;
  /** How the audio travels: SDES ("RTP/SAVP" with a key), DTLS ("UDP/TLS/…" with a fingerprint), or in the clear. */
  readonly cipher: MediaFacts['cipher'];
  /** Name of the first audio format, "PCMU"; in an answer that is the one in use. */
  readonly codec: string;
}

/** RFC 3551 table 4. */
const staticCodecs: Readonly<Record<string, string>> = { 0: 'PCMU', 3: 'GSM', 8: 'PCMA', 9: 'G722', 18: 'G729' };

export function sdpFacts(sdp: string): SdpFacts {
  const own = audioLines(sdp);
  if (own === null) return { hasAudio: false, cipher: 'none', codec: 'none' };
  const [, , protocol = '', format = ''] = (own[0] ?? '').split(' ');
  const map = own.find((line) => line.startsWith(`a=rtpmap:${format} `));
  const named = /^[\w.+-]{1,32}$/.exec(map?.split(' ')[1]?.split('/')[0] ?? '')?.[0];
  return { hasAudio: true, cipher: cipherOf(protocol, own, sdp), codec: named ?? staticCodecs[format] ?? 'unknown' };
}

/** false: whoever describes himself so is on hold and sends no sound (RFC 3264 8.4), or holds as RFC 2543 did. */
export function sendsAudio(sdp: string): boolean {
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)$/;
  const lines = [...(audioLines(sdp) ?? []), ...sessionLines(sdp)];
  const said = lines.find((line) => direction.test(line));
  // With ICE the address is in the candidates.
  const isNowhere = lines.find((line) => line.startsWith('c='))?.trim() === 'c=IN IP4 0.0.0.0';
  if (isNowhere && !lines.some((line) => line.startsWith('a=ice-ufrag:'))) return false;
  return said !== 'a=recvonly' && said !== 'a=inactive';
}

/** From its m-line to the next; null: there is none, or its port is 0. */
function audioLines(sdp: string): readonly string[] | null {
  const lines = sdp.split(/\r?\n/, 500);
  // Of several the encrypted one is what is talked on.
  const secure = lines.findIndex((line) => /^m=audio [1-9]\d* \S*SAVP/.test(line));
  const audio = secure < 0 ? lines.findIndex((line) => /^m=audio [1-9]/.test(line)) : secure;
  if (audio < 0) return null;
  const end = lines.findIndex((line, at) => at > audio && line.startsWith('m='));
  return lines.slice(audio, end < 0 ? undefined : end);
}

/** Who says that it is encrypted and gives no key does not do it. */
function cipherOf(protocol: string, own: readonly string[], sdp: string): MediaFacts['cipher'] {
  const has = (attribute: string, lines: readonly string[]): boolean =>
    lines.some((line) => line.startsWith(attribute));
  if (protocol.includes('TLS')) return has('a=fingerprint:', sessionLines(sdp).concat(own)) ? 'dtls' : 'none';
  return protocol.includes('SAVP') && has('a=crypto:', own) ? 'sdes' : 'none';
}

/** What stands before the first m-line counts for all of them. */
function sessionLines(sdp: string): readonly string[] {
  return (sdp.split(/^m=/m, 1)[0] ?? '').split(/\r?\n/, 500);
}
