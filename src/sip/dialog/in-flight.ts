import type { Headers } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/sip-message.ts';
import type { Flow } from '../transport/flow.ts';

/** A request of ours that is on its way, as much of it as its dialog needs to know. */
export interface RequestInFlight {
  /** As sent. */
  readonly sent: SipRequest;
  /** Whether its final response has come. */
  readonly isSettled: boolean;
  /** Cancels an INVITE; see OutgoingRequest. */
  cancel(headers?: Headers): SipRequest | undefined;
}

/** A request of the peer that waits for our answer. */
export interface RequestWaiting {
  respond(status: number): SipResponse | undefined;
}

export interface InDialogHandlers {
  /** As OutgoingHandlers; `flow` is undefined for a response that we made because nothing came. */
  onResponse(response: SipResponse, origin: { readonly flow: Flow | undefined }): void;
}
