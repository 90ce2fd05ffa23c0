import type { MessageLimits } from './limits.ts';
import { isNameAddr, parseNameAddr } from './name-addr.ts';
import { callIdOf, fromTagOf, parseCSeq, type SipMessage, type SipRequest, toTagOf } from './sip-message.ts';
import { parseUri, schemeOf } from './uri.ts';
import { magicCookie, parseVia } from './via.ts';
import { knownMethods } from './methods.ts';

export interface Problem {
  readonly status: number;
  /** What is wrong, never what was sent. */
  readonly why: string;
  readonly isHopeless?: true;
}

const once = ['From', 'To', 'Call-ID', 'CSeq'] as const;

/** What keeps a message that could be read from being served: the must-haves of RFC 3261 8.1.1, as RFC 4475 tests them. */
export function findProblem(message: SipMessage, limits: MessageLimits): Problem | undefined {
  const { headers } = message;
  for (const name of once) {
    const count = headers.countOf(name);
    if (count > 1) return bad(`several ${name}`);
    if (count === 0 || headers.get(name) === '') return { status: 400, why: `no ${name}`, isHopeless: true };
  }
  // Both become part of names in other protocols, where a blank or a bar would begin the next word.
  const names = [callIdOf(message), fromTagOf(message), toTagOf(message)];
  if (!names.every(isPlain)) return bad('malformed Call-ID or tag');
  const cseq = parseCSeq(headers.get('CSeq') as string);
  if (cseq === undefined) return bad('malformed CSeq');
  if (message.kind === 'request' && message.method !== cseq.method) {
    return knownMethods.has(message.method) ? bad('CSeq of another method') : { status: 501, why: 'unknown method' };
  }
  return addressProblem(message) ?? (message.kind === 'request' ? requestProblem(message, limits) : undefined);
}

function addressProblem(message: SipMessage): Problem | undefined {
  const { headers } = message;
  const vias = headers.lines('Via');
  for (const via of vias) if (parseVia(via) === undefined) return bad('malformed Via');
  for (const name of ['From', 'To'] as const) {
    if (!isNameAddr(headers.get(name) as string)) return bad(`malformed ${name}`);
  }
  if (!headers.has('Contact')) return undefined;
  for (const contact of headers.list('Contact')) {
    if (contact !== '*' && !isNameAddr(contact)) return bad('malformed Contact');
  }
  return undefined;
}

function requestProblem(request: SipRequest, limits: MessageLimits): Problem | undefined {
  const scheme = schemeOf(request.uri);
  if (scheme === undefined || /[\s<>"]/.test(request.uri)) return bad('malformed Request-URI');
  if (scheme === 'sip' || scheme === 'sips') {
    const uri = parseUri(request.uri);
    // RFC 3261 19.1.1: no headers in a Request-URI; they would be somebody's way into ours.
    if (uri === undefined || uri.headers !== undefined) return bad('malformed Request-URI');
  } else if (scheme !== 'tel') return { status: 416, why: 'unsupported URI scheme' };
  if (request.method === 'REGISTER' && !isRegistrable(request)) return bad('To is nobody who could be registered');
  if (request.method === 'REGISTER' && !isSensibleStar(request))
    return bad('a Contact of * stands alone, with Expires: 0');
  const maxForwards = request.headers.lines('Max-Forwards');
  if (maxForwards.length > 1) return bad('several Max-Forwards');
  if (maxForwards[0] !== undefined && !(/^\d{1,10}$/.test(maxForwards[0]) && Number(maxForwards[0]) <= 255)) {
    return bad('malformed Max-Forwards');
  }
  // RFC 4475 3.2.1: a branch that is nothing but the cookie identifies no transaction.
  if (parseVia(request.headers.get('Via') as string)?.params.get('branch') === magicCookie) return bad('empty branch');
  const type = request.headers.get('Content-Type');
  if (request.body.length > limits.sdpBytes && type?.toLowerCase().startsWith('application/sdp') === true) {
    return { status: 413, why: 'SDP too large' };
  }
  return knownMethods.has(request.method) ? undefined : { status: 501, why: 'unknown method' };
}

// RFC 4475 3.3.4: a To of a scheme that no registrar serves.
function isRegistrable(register: SipRequest): boolean {
  const scheme = schemeOf(parseNameAddr(register.headers.get('To') as string)?.uri ?? '');
  return scheme === 'sip' || scheme === 'sips' || scheme === 'tel';
}

// RFC 3261 10.3 step 6.
function isSensibleStar({ headers }: SipRequest): boolean {
  const contacts = headers.list('Contact');
  return (
    !contacts.includes('*') ||
    (contacts.length === 1 && Number(headers.get('Expires') ?? '') === 0 && headers.has('Expires'))
  );
}

/** Printable ASCII without the bar: wider than `word` and `token` of RFC 3261 25.1, as phones in the field are. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 32 || code >= 127 || code === 124) return false;
  }
  return true;
}

function bad(why: string): Problem {
  return { status: 400, why };
}
