//     request
//        |        timer E: send again      timer F: timeout
//        V
//     trying ------- 1xx ------> proceeding
//        | 200-699                   | 200-699
//        +----------> completed <----+
//                         | timer K
//                         V
//                     terminated
import type { Timer } from '../clock.ts';
import { serialise, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { type Flow, isReliable } from '../transport/flow.ts';
import type { ClientTransaction, ClientUser, TransactionContext } from './client-transaction.ts';
import { transactionTimeoutMs } from './timers.ts';

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** RFC 3261 17.1.2. */
export class ClientNonInvite implements ClientTransaction {
  readonly request: SipRequest;
  readonly #context: TransactionContext;
  readonly #user: ClientUser;
  /** Let go when nothing is sent again: thousands of these linger for 32 s. */
  #bytes: Buffer | undefined;
  #state: State = 'trying';
  #timerE: Timer | undefined;
  #timerF: Timer | undefined;
  #timerK: Timer | undefined;
  readonly #stopWatching: () => void;

  constructor(request: SipRequest, context: TransactionContext, user: ClientUser) {
    this.request = request;
    this.#context = context;
    this.#user = user;
    this.#bytes = serialise(request);
    this.#stopWatching = context.flow.onLost(() => this.#flowLost());
    this.#timerF = context.clock.after(transactionTimeoutMs(context.timers), () => this.#timedOut());
    this.#send(context.timers.t1);
  }

  receive(response: SipResponse, from: Flow): void {
    switch (this.#state) {
      case 'trying':
      case 'proceeding':
        return this.#answered(response, from);
      case 'completed':
      case 'terminated':
        return;
    }
  }

  abandon(): void {
    this.#terminate();
  }

  #answered(response: SipResponse, from: Flow): void {
    if (response.status < 200) {
      this.#state = 'proceeding';
      this.#user.onResponse(response, from);
      return;
    }
    this.#stopSending();
    this.#bytes = undefined;
    this.#state = 'completed';
    const waitMs = isReliable(this.#context.flow.protocol) ? 0 : this.#context.timers.t4;
    this.#timerK = this.#context.clock.after(waitMs, () => this.#terminate());
    this.#user.onResponse(response, from);
  }

  #send(nextMs: number): void {
    if (this.#bytes !== undefined) this.#context.flow.send(this.#bytes);
    if (isReliable(this.#context.flow.protocol)) return;
    const { t2 } = this.#context.timers;
    this.#timerE = this.#context.clock.after(nextMs, () => {
      // RFC 3261 17.1.2.2: in proceeding the interval is T2 from now on.
      this.#send(this.#state === 'proceeding' ? t2 : Math.min(nextMs * 2, t2));
    });
  }

  #timedOut(): void {
    this.#terminate();
    this.#user.onFailure('timeout');
  }

  #flowLost(): void {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return;
    this.#terminate();
    this.#user.onFailure('transport');
  }

  #stopSending(): void {
    this.#timerE?.stop();
    this.#timerF?.stop();
  }

  #terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#stopSending();
    this.#timerK?.stop();
    this.#stopWatching();
    this.#context.onTerminated();
  }
}
