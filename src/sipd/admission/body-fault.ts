import { Headers, type SipRequest } from '../../sip/index.ts';

const taken = 'application/sdp';

/** RFC 3261 21.4.6 and 21.4.13: an INVITE whose body nobody here can read, or whose sender reads no answer of ours. */
export function bodyFault(request: SipRequest): { status: number; headers?: Headers } | undefined {
  if (request.method !== 'INVITE') return undefined;
  const { headers, body } = request;
  const type = mediaType(headers.get('Content-Type') ?? '');
  // RFC 3261 20.11: what is optional may be passed over.
  const isOptional = /handling\s*=\s*optional/i.test(headers.get('Content-Disposition') ?? '');
  const isRead = type === '' || type === taken || type.startsWith('multipart/');
  if (body.length > 0 && !isRead && !isOptional) return { status: 415, headers: new Headers().add('Accept', taken) };
  if (!headers.has('Accept')) return undefined;
  const accepts = headers.list('Accept').map(mediaType);
  // An empty Accept means that nothing is read (RFC 3261 20.1).
  return accepts.some((one) => one === taken || one === 'application/*' || one === '*/*') ? undefined : { status: 406 };
}

function mediaType(value: string): string {
  const semicolon = value.indexOf(';');
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}
