import type { SipRequest } from '../sip/index.ts';

/** Apps know one way to learn that a caller gave up, and it is a CANCEL. */
export function asCancel(by: SipRequest): SipRequest {
  const headers = by.headers.clone();
  headers.set('CSeq', (headers.get('CSeq') ?? '').replace(/\S+$/, 'CANCEL'));
  return { ...by, method: 'CANCEL', headers };
}
