import type { MediaFacts } from '../core/call/index.ts';
import { parseSipUri } from './name-addr.ts';
import type { TelephonyOptions } from './options.ts';
import type { ContactBinding, PeerAddress } from './ports.ts';
import { sdpFacts } from './sdp.ts';

export type Cipher = MediaFacts['cipher'];
type Options = Pick<TelephonyOptions['sip'], 'requireSrtp'>;
type Registered = Pick<ContactBinding, 'source' | 'uri'>;

/** Whoever encrypts what he signals encrypts what he says too (SDES carries the key in the signalling). */
const encrypted: readonly PeerAddress['protocol'][] = ['tls', 'wss'];

/** What has to be used at least, by how the signalling travels. */
export function cipherFor({ protocol }: PeerAddress, { requireSrtp }: Options): Cipher {
  return requireSrtp && encrypted.includes(protocol) ? 'sdes' : 'none';
}

/** What a registered phone is offered. */
export function cipherOffered(binding: Registered, options: Options): Cipher {
  return isBrowser(binding) ? 'dtls' : cipherFor(binding.source, options);
}

/** Each one once, for phones of one extension that do not agree. */
export function ciphersFor(bindings: readonly Registered[], options: Options): readonly Cipher[] {
  return [...new Set(bindings.map((binding) => cipherOffered(binding, options)))];
}

/** What a caller's own phone uses: what it offers counts if that is more than it has to, or as much in another way. */
export function callersCipher(peer: PeerAddress, offer: string, options: Options): Cipher {
  const least = cipherFor(peer, options);
  const said = sdpFacts(offer).cipher;
  return said === 'dtls' || (least !== 'none' && said !== 'none') ? said : least;
}

/** A description that would leave in the clear what has to be, or has been, encrypted. */
export function isDowngrade(from: Cipher, to: Cipher): boolean {
  return from !== 'none' && to === 'none';
}

/** For the log and the record: what is wrong, and what to do. */
export const needsSrtp =
  'no SRTP, which phones on TLS must use: enable it at the phone, or set sip.requireSrtp to false';

/** It has no address that it knows of, and says so in its Contact (RFC 7118 5); it knows DTLS only (RFC 8827 6.5). */
function isBrowser({ source, uri }: Registered): boolean {
  const isWeb = source.protocol === 'wss' || source.protocol === 'ws';
  return isWeb && parseSipUri(uri)?.host.endsWith('.invalid') === true;
}
