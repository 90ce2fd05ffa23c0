//     request
//        V
//     trying -- 1xx --> proceeding      request again: last response again, if any
//        | 200-699          | 200-699
//        +---> completed <--+
//                  | timer J
//                  V
//              terminated
import type { Timer } from '../clock.ts';
import { bytesOf, keepBytes, type KeptBytes } from '../message/kept-bytes.ts';
import { serialise, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { type Flow, isReliable } from '../transport/flow.ts';
import type { TransactionContext } from './client-transaction.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { transactionTimeoutMs } from './timers.ts';

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** RFC 3261 17.2.2. */
export class ServerNonInvite implements ServerTransaction {
  readonly method: string;
  readonly flow: Flow;
  readonly #context: TransactionContext;
  #state: State = 'trying';
  /** What is sent again, and nothing else of the message: it is kept for 32 s. */
  #last: KeptBytes | undefined;
  #timerJ: Timer | undefined;

  constructor({ method }: SipRequest, context: TransactionContext) {
    this.method = method;
    this.flow = context.flow;
    this.#context = context;
  }

  get state(): State {
    return this.#state;
  }

  get isAnswered(): boolean {
    return this.#state === 'completed' || this.#state === 'terminated';
  }

  respond(response: SipResponse): boolean {
    if (this.isAnswered) return false;
    const bytes = serialise(response);
    this.#last = keepBytes(bytes);
    this.flow.send(bytes);
    if (response.status < 200) {
      this.#state = 'proceeding';
      return true;
    }
    this.#state = 'completed';
    const waitMs = isReliable(this.flow.protocol) ? 0 : transactionTimeoutMs(this.#context.timers);
    this.#timerJ = this.#context.clock.after(waitMs, () => this.abandon());
    return true;
  }

  abandon(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#timerJ?.stop();
    this.#last = undefined;
    this.#context.onTerminated();
  }

  repeat(): void {
    if (this.#last !== undefined) this.flow.send(bytesOf(this.#last));
  }
}
