import type { SipRequest } from '../message/sip-message.ts';
import { topViaOf } from '../message/sip-message.ts';
import { serialiseVia } from '../message/via.ts';
import type { HostPort } from './flow.ts';

/** RFC 3261 18.2.1 and RFC 3581 4: notes in the top Via where the request really came from. */
export function stampVia(request: SipRequest, from: HostPort): void {
  const via = topViaOf(request);
  if (via === undefined) return;
  const wantsPort = via.params.get('rport') === '';
  if (!wantsPort && via.host === from.host) return;
  const params = new Map(via.params);
  if (wantsPort) params.set('rport', String(from.port));
  params.set('received', from.host);
  request.headers.replaceFirst('Via', serialiseVia({ ...via, params }));
}
