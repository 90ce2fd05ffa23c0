import type { SipRequest } from '../sip/index.ts';

/** A BYE that ended an INVITE, as the CANCEL that apps know: their one way to learn that a caller gave up. */
export function asCancel(by: SipRequest): SipRequest {
  const headers = by.headers.clone();
  headers.set('CSeq', (headers.get('CSeq') ?? '').replace(/\S+$/, 'CANCEL'));
  return { ...by, method: 'CANCEL', headers };
}
