export type DatagramKind = 'stun' | 'dtls' | 'sound' | 'unknown';

/** What shares a port, told apart by the first byte: RFC 7983 7. */
export function kindOf(datagram: Buffer): DatagramKind {
  const first = datagram[0];
  if (first === undefined) return 'unknown';
  if (first <= 3) return 'stun';
  if (first >= 20 && first <= 63) return 'dtls';
  return first >= 128 && first <= 191 ? 'sound' : 'unknown';
}
