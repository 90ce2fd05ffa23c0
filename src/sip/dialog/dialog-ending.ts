import type { SipRequest } from '../message/sip-message.ts';

/** What ended a dialog. */
export type DialogEnding =
  /** The peer's BYE; it was also given to `onRequest`, which answers it. */
  | { readonly why: 'byeReceived'; readonly bye: SipRequest }
  /** The final response to our BYE came, or its timeout. */
  | { readonly why: 'byeSent'; readonly bye: SipRequest }
  /** No ACK for our 2xx in 64 T1. We have sent this BYE. */
  | { readonly why: 'ackTimeout'; readonly bye: SipRequest }
  /** Nobody has refreshed the session in its time (RFC 4028). We have sent this BYE. */
  | { readonly why: 'sessionExpired'; readonly bye: SipRequest }
  /** A subscription ended with NOTIFY. */
  | { readonly why: 'subscriptionEnded' };
