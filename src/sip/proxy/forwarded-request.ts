import type { DraftRequest } from '../dialog/dialog.ts';
import { requestOwned } from '../dialog/owned-headers.ts';
import type { Headers } from '../message/headers.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import type { SipRequest } from '../message/sip-message.ts';
import { parseUri } from '../message/uri.ts';

/** Our copy of somebody else's request, without its new Via: RFC 3261 16.6 steps 1 to 3. `extra` replaces what it names. */
export function forwardedRequest(request: SipRequest, uri: string, extra?: Headers): DraftRequest {
  const headers = request.headers.clone();
  const hops = Number(headers.get('Max-Forwards') ?? '71') - 1;
  headers.set('Max-Forwards', String(hops));
  extra?.forEach((name, _value, key) => {
    if (!requestOwned.has(key)) headers.remove(name);
  });
  extra?.forEach((name, value, key) => {
    if (!requestOwned.has(key)) headers.add(name, value);
  });
  return { method: request.method, uri, headers, body: request.body };
}

/** Whether it has been passed on as often as it may be (RFC 3261 16.3 step 3). */
export function isWornOut(request: SipRequest): boolean {
  return Number(request.headers.get('Max-Forwards') ?? '70') <= 0;
}

/** Of how many branches at once this request may become part, RFC 5393 5.3.3.1. */
export function breadthOf(request: SipRequest): number {
  const given = request.headers.get('Max-Breadth');
  return given !== undefined && /^\d{1,9}$/.test(given) ? Number(given) : 60;
}

/** One branch, with its share of them. */
export function withBreadth(draft: DraftRequest, share: number): DraftRequest {
  draft.headers.set('Max-Breadth', String(share));
  return draft;
}

/** Where a request goes that follows its own Route, and how it looks on that way: RFC 3261 16.6 steps 6 and 7. */
export function routed(draft: DraftRequest): { readonly draft: DraftRequest; readonly hop: string } {
  const [first, ...rest] = draft.headers.list('Route');
  const uri = first === undefined ? undefined : parseNameAddr(first)?.uri;
  if (uri === undefined) return { draft, hop: draft.uri };
  if (parseUri(uri)?.params.has('lr') === true) return { draft, hop: uri };
  // A strict router takes the Request-URI, and the target goes last.
  draft.headers.remove('Route');
  for (const route of [...rest, `<${draft.uri}>`]) draft.headers.add('Route', route);
  return { draft: { ...draft, uri }, hop: uri };
}
