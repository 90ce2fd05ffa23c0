import { isAddress, parseUri } from '../message/uri.ts';
import type { HostPort, Protocol } from '../transport/flow.ts';

/** The place a URI names: RFC 3263 without the DNS records, which the caller resolves. */
export interface HopName extends HostPort {
  readonly protocol: Protocol;
  /** False if `host` is a name that has to be looked up. */
  readonly isLiteral: boolean;
}

export type HopResult =
  | { readonly kind: 'hop'; readonly hop: HopName }
  | { readonly kind: 'refused'; readonly why: string };

/** `bound`: the protocols we listen on, the preferred one first. */
export function hopOf(uri: string, bound: readonly Protocol[]): HopResult {
  const parsed = parseUri(uri);
  if (parsed === undefined) return refused('the URI is not a valid sip: URI');
  const wanted = parsed.params.get('transport')?.toLowerCase();
  if (parsed.scheme === 'sips' || wanted === 'tls' || wanted === 'ws' || wanted === 'wss') {
    return refused('requested protocol/transport not available');
  }
  const protocol = wanted ?? (bound.includes('udp') ? 'udp' : bound[0]);
  if ((protocol !== 'udp' && protocol !== 'tcp') || !bound.includes(protocol)) {
    return refused('requested protocol/transport not available');
  }
  const maddr = parsed.params.get('maddr');
  const host = maddr ?? parsed.host;
  return { kind: 'hop', hop: { protocol, host, port: parsed.port ?? 5060, isLiteral: isAddress(host) } };
}

function refused(why: string): HopResult {
  return { kind: 'refused', why };
}
