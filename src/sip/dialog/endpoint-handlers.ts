import type { SipRequest } from '../message/sip-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { Dialog } from './dialog.ts';
import type { DialogEnding } from './dialog-ending.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** What the owner of an endpoint is told. Every call comes in a turn of its own message or timer. */
export interface EndpointHandlers {
  /** A new request, in a dialog (`incoming.dialog`) or outside. Never ACK or CANCEL. Answer it with `incoming.respond`. */
  onRequest(incoming: IncomingRequest): void;
  /**
   * The call ended before we answered: 487 has been sent, and `by` is the CANCEL, or a BYE in the early dialog. Or nobody
   * acknowledged a reliable provisional response: 504 has been sent, and `by` is the INVITE itself.
   */
  onCancelled(incoming: IncomingRequest, by: SipRequest): void;
  /** The first ACK for a 2xx of ours; it carries the SDP answer if we made the offer. */
  onAck(dialog: Dialog, ack: SipRequest, from: Flow): void;
  /** A confirmed dialog has ended, once for each, whatever ended it. */
  onDialogEnded(dialog: Dialog, ending: DialogEnding): void;
  /** A request of a dialog that we are proxy of has been passed on, as sent. */
  onPassed?(request: SipRequest): void;
}
