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
  const lines = sdp.split(/\r?\n/, 500);
  const audio = lines.findIndex((line) => /^m=audio [1-9]/.test(line));
  if (audio < 0) return { hasAudio: false, cipher: 'none', codec: 'none' };
  const [, , protocol = '', format = ''] = (lines[audio] ?? '').split(' ');
  const end = lines.findIndex((line, at) => at > audio && line.startsWith('m='));
  const own = lines.slice(audio, end < 0 ? undefined : end);
  const map = own.find((line) => line.startsWith(`a=rtpmap:${format} `));
  const named = map?.split(' ')[1]?.split('/')[0];
  return { hasAudio: true, cipher: cipherOf(protocol), codec: named ?? staticCodecs[format] ?? 'unknown' };
}

function cipherOf(protocol: string): MediaFacts['cipher'] {
  if (protocol.includes('TLS')) return 'dtls';
  return protocol.includes('SAVP') ? 'sdes' : 'none';
}
