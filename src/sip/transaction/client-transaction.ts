import type { Clock } from '../clock.ts';
import type { SipResponse } from '../message/sip-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { SipTimers } from './timers.ts';

/** What every transaction is given. */
export interface TransactionContext {
  readonly flow: Flow;
  readonly clock: Clock;
  readonly timers: SipTimers;
  /** Of an INVITE that is served: called once, when it has its final response or none will come. */
  readonly onAnswered?: () => void;
  /** Called once, when the machine has ended and can be forgotten. */
  readonly onTerminated: () => void;
}

/** Who sent the request and wants to know. */
export interface ClientUser {
  /** Each response that is news: provisionals, the final one, and further 2xx to an INVITE. */
  onResponse(response: SipResponse, from: Flow): void;
  /** No final response will come: nobody answered in 64 T1, or the connection broke. */
  onFailure(why: 'timeout' | 'transport'): void;
}

export interface ClientTransaction {
  readonly method: string;
  /** Where it is in the picture of its machine; for metrics. */
  readonly state: string;
  receive(response: SipResponse, from: Flow): void;
  /** Ends at once and tells nobody: the user has lost interest. */
  abandon(): void;
}
