import type { Timer } from '../clock.ts';
import { serialise, type SipRequest } from '../message/sip-message.ts';
import { isReliable } from '../transport/flow.ts';
import type { ClientUser, TransactionContext } from './client-transaction.ts';
import { transactionTimeoutMs } from './timers.ts';

/**
 * The request of a client transaction on its way, RFC 3261 17.1: sent again over UDP (timers A and E) until it is stopped,
 * given up after 64 T1 (timers B and F) or with its connection.
 */
export class RequestSending {
  readonly #context: TransactionContext;
  /** How long to wait for an answer before the request is sent again, from how long was waited last. */
  readonly #nextWaitMs: (waitedMs: number) => number;
  /** Let go when nothing is sent again: thousands of transactions linger for 32 s. */
  #bytes: Buffer | undefined;
  #again: Timer | undefined;
  readonly #giveUp: Timer;
  readonly #stopWatching: () => void;

  constructor(
    request: SipRequest,
    context: TransactionContext,
    nextWaitMs: (waitedMs: number) => number,
    onFailure: ClientUser['onFailure'],
  ) {
    this.#context = context;
    this.#nextWaitMs = nextWaitMs;
    this.#bytes = serialise(request);
    this.#stopWatching = context.flow.onLost(() => onFailure('transport'));
    this.#giveUp = context.clock.after(transactionTimeoutMs(context.timers), () => onFailure('timeout'));
  }

  start(): void {
    this.#send(this.#context.timers.t1);
  }

  /** Nothing is sent again, and silence is no failure any more; the loss of the connection still is. */
  stop(): void {
    this.#bytes = undefined;
    this.#again?.stop();
    this.#giveUp.stop();
  }

  /** Stops, and tells nothing any more. */
  close(): void {
    this.stop();
    this.#stopWatching();
  }

  #send(waitMs: number): void {
    if (this.#bytes === undefined) return;
    this.#context.flow.send(this.#bytes);
    if (isReliable(this.#context.flow.protocol)) return;
    this.#again = this.#context.clock.after(waitMs, () => this.#send(this.#nextWaitMs(waitMs)));
  }
}
