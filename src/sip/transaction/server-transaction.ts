import type { SipResponse } from '../message/sip-message.ts';
import type { Flow } from '../transport/flow.ts';

export interface ServerTransaction {
  /** Its request is not kept: a machine lingers for 32 s when everybody else has done with it. */
  readonly method: string;
  /** Where responses go. */
  readonly flow: Flow;
  /** Where it is in the picture of its machine; for metrics. */
  readonly state: string;
  /** Whether a final response has gone out. */
  readonly isAnswered: boolean;
  /** False if a final response has gone out already, or the transaction is over: nothing was sent then. */
  respond(response: SipResponse): boolean;
  /** The request came again. */
  repeat(): void;
  /** Ends at once: the endpoint closes. */
  abandon(): void;
}
