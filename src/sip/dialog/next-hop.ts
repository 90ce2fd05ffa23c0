import { isAddress, parseUri, type SipUri } from '../message/uri.ts';
import type { Wanted } from '../names/locator.ts';
import { defaultPort, type HostPort, type Protocol, protocols } from '../transport/flow.ts';

/** The place a URI names, as far as the URI itself says it. */
export interface HopName extends HostPort {
  readonly protocol: Protocol;
  /** What has to be looked up (RFC 3263), where `host` is a name. */
  readonly wanted: Wanted;
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
  const protocol = protocolOf(parsed, bound);
  if (protocol === undefined || !bound.includes(protocol)) {
    return refused('requested protocol/transport not available');
  }
  const maddr = parsed.params.get('maddr');
  const host = maddr ?? parsed.host;
  const isSecure = parsed.scheme === 'sips';
  const isGiven = parsed.params.has('transport');
  const wanted = { host, port: parsed.port, protocol: isGiven ? protocol : undefined, isSecure };
  const port = parsed.port ?? defaultPort(protocol);
  return { kind: 'hop', hop: { protocol, host, port, wanted, isLiteral: isAddress(host) } };
}

// RFC 3261 26.2.2: a sips: URI is for encrypted transports only, whatever else it says.
function protocolOf({ scheme, params }: SipUri, bound: readonly Protocol[]): Protocol | undefined {
  const wanted = params.get('transport')?.toLowerCase();
  if (scheme === 'sips') return wanted === undefined || wanted === 'tcp' || wanted === 'tls' ? 'tls' : undefined;
  if (wanted !== undefined) return protocols.find((protocol) => protocol === wanted);
  return bound.includes('udp') ? 'udp' : bound[0];
}

function refused(why: string): HopResult {
  return { kind: 'refused', why };
}
