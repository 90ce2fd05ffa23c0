import type { MediaFacts } from '../core/call/index.ts';
import type { TelephonyOptions } from './options.ts';
import type { ContactBinding, PeerAddress } from './ports.ts';

export type Cipher = MediaFacts['cipher'];

/** Whoever encrypts what he signals encrypts what he says too (SDES carries the key in the signalling). */
const encrypted: readonly PeerAddress['protocol'][] = ['tls', 'wss'];

/** What a phone is offered, by how its signalling travels. */
export function cipherFor(
  { protocol }: PeerAddress,
  { requireSrtp }: Pick<TelephonyOptions['sip'], 'requireSrtp'>,
): Cipher {
  return requireSrtp && encrypted.includes(protocol) ? 'sdes' : 'none';
}

/** Each one once, for phones of one extension that do not agree. */
export function ciphersFor(
  bindings: readonly Pick<ContactBinding, 'source'>[],
  options: Pick<TelephonyOptions['sip'], 'requireSrtp'>,
): readonly Cipher[] {
  return [...new Set(bindings.map(({ source }) => cipherFor(source, options)))];
}

/** A description that would leave in the clear what has to be, or has been, encrypted. */
export function isDowngrade(from: Cipher, to: Cipher): boolean {
  return from !== 'none' && to === 'none';
}

/** For the log and the record: what is wrong, and what to do. */
export const needsSrtp =
  'no SRTP, which phones on TLS must use: enable it at the phone, or set sip.requireSrtp to false';
