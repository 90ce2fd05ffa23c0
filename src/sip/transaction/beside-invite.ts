import { Headers } from '../message/headers.ts';
import { cseqOf, noBody, type SipRequest } from '../message/sip-message.ts';

/**
 * A request that goes the way of an INVITE and belongs to it: its CANCEL (RFC 3261 9.1) or the ACK of its failure
 * (17.1.1.3). Request-URI, top Via, Route, From, Call-ID and CSeq number are the INVITE's; `to` holds the To.
 */
export function besideInvite(invite: SipRequest, method: 'ACK' | 'CANCEL', to: Headers): SipRequest {
  const headers = new Headers();
  headers.add('Via', invite.headers.get('Via') as string);
  headers.copy('Route', invite.headers);
  headers.add('Max-Forwards', '70');
  headers.copy('From', invite.headers);
  headers.copy('To', to);
  headers.copy('Call-ID', invite.headers);
  headers.add('CSeq', `${cseqOf(invite).number} ${method}`);
  return { kind: 'request', method, uri: invite.uri, headers, body: noBody };
}
