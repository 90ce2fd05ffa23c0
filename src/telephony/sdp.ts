import type { MediaFacts } from '../core/call/index.ts';

/** Only the few facts that routing and the audit need; the media itself is the media server's business. */
export interface SdpFacts {
  readonly hasAudio: boolean;
  /** The audio may only travel encrypted: SDES ("RTP/SAVP") or DTLS ("UDP/TLS/…"). */
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
  return { hasAudio: true, cipher: cipherOf(protocol), codec: named ?? staticCodecs[format] ?? 'unknown' };
}

/** false: whoever describes himself so is on hold and sends no sound (RFC 3264 8.4). */
export function sendsAudio(sdp: string): boolean {
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)$/;
  const own = audioLines(sdp) ?? [];
  const session = (sdp.split(/^m=/m, 1)[0] ?? '').split(/\r?\n/, 500);
  const said = [...own, ...session].find((line) => direction.test(line));
  return said !== 'a=recvonly' && said !== 'a=inactive';
}

/** From its m-line to the next; null: there is none, or its port is 0. */
function audioLines(sdp: string): readonly string[] | null {
  const lines = sdp.split(/\r?\n/, 500);
  const audio = lines.findIndex((line) => /^m=audio [1-9]/.test(line));
  if (audio < 0) return null;
  const end = lines.findIndex((line, at) => at > audio && line.startsWith('m='));
  return lines.slice(audio, end < 0 ? undefined : end);
}

function cipherOf(protocol: string): MediaFacts['cipher'] {
  if (protocol.includes('TLS')) return 'dtls';
  return protocol.includes('SAVP') ? 'sdes' : 'none';
}
