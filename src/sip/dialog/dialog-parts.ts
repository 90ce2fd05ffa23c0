import { callIdOf, cseqOf, fromTagOf, type SipRequest, type SipResponse, toTagOf } from '../message/sip-message.ts';
import type { Flow } from '../transport/flow.ts';
import { contactUri } from './contact-uri.ts';

/** What a dialog is made of, RFC 3261 12.1. */
export interface DialogParts {
  readonly role: 'uac' | 'uas';
  /** The method that created it. */
  readonly createdBy: 'INVITE' | 'SUBSCRIBE';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Values for From and To of our requests, tags included. */
  readonly local: string;
  readonly remote: string;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string | undefined;
  readonly localCseq: number;
  readonly remoteCseq: number | undefined;
  /** Where the peer's message came from. */
  readonly flow: Flow;
}

/** Of a dialog that the peer's response to our request makes. */
export function uacParts(sent: SipRequest, response: SipResponse, flow: Flow): DialogParts {
  return {
    ...common(sent),
    role: 'uac',
    localTag: fromTagOf(sent),
    remoteTag: toTagOf(response),
    local: sent.headers.get('From') as string,
    remote: response.headers.get('To') as string,
    routeSet: response.headers.list('Record-Route').reverse(),
    remoteTarget: contactUri(response),
    localCseq: cseqOf(sent).number,
    remoteCseq: undefined,
    flow,
  };
}

/** Of a dialog that our response to the peer's request makes. */
export function uasParts(request: SipRequest, sent: SipResponse, flow: Flow): DialogParts {
  return {
    ...common(request),
    role: 'uas',
    localTag: toTagOf(sent),
    remoteTag: fromTagOf(request),
    local: sent.headers.get('To') as string,
    remote: request.headers.get('From') as string,
    routeSet: request.headers.list('Record-Route'),
    remoteTarget: contactUri(request),
    localCseq: 0,
    remoteCseq: cseqOf(request).number,
    flow,
  };
}

function common(creator: SipRequest): Pick<DialogParts, 'createdBy' | 'callId'> {
  return { createdBy: creator.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE', callId: callIdOf(creator) };
}
