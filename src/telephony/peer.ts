import type { SipMessageView } from './client-libraries/index.ts';
import { splitOutsideQuotes } from './name-addr.ts';
import { ownText } from './own-text.ts';
import type { PeerAddress } from './ports.ts';

const protocols = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

/** Where a request came from. Signalling servers call WSS "tcp"; the topmost Via knows better. */
export function peerOf(request: SipMessageView): PeerAddress {
  const via = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z]+)/i.exec(
    splitOutsideQuotes(request.get('Via') ?? '', ',')[0]?.trim() ?? '',
  );
  const seen = request.protocol.toLowerCase();
  const said = via?.[1]?.toLowerCase();
  const protocol = seen === 'tcp' && (said === 'ws' || said === 'wss') ? said : seen;
  return {
    ip: ownText(request.source_address),
    port: Number(request.source_port),
    protocol: protocols.find((one) => one === protocol) ?? 'udp',
  };
}
