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
import type { SipRequest, SipResponse } from '../message/sip-message.ts';
import { type Flow, isReliable } from '../transport/flow.ts';
import type { ClientTransaction, ClientUser, TransactionContext } from './client-transaction.ts';
import { RequestSending } from './request-sending.ts';

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** RFC 3261 17.1.2. */
export class ClientNonInvite implements ClientTransaction {
  readonly method: string;
  readonly #context: TransactionContext;
  readonly #user: ClientUser;
  readonly #sending: RequestSending;
  #state: State = 'trying';
  #timerK: Timer | undefined;

  constructor(request: SipRequest, context: TransactionContext, user: ClientUser) {
    this.method = request.method;
    this.#context = context;
    this.#user = user;
    const { t2 } = context.timers;
    this.#sending = new RequestSending(
      request,
      context,
      // RFC 3261 17.1.2.2: in proceeding the interval is T2 from now on.
      (waitedMs) => (this.#state === 'proceeding' ? t2 : Math.min(waitedMs * 2, t2)),
      (why) => this.#failed(why),
    );
    this.#sending.start();
  }

  get state(): State {
    return this.#state;
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
    this.#sending.stop();
    this.#state = 'completed';
    const waitMs = isReliable(this.#context.flow.protocol) ? 0 : this.#context.timers.t4;
    this.#timerK = this.#context.clock.after(waitMs, () => this.#terminate());
    this.#user.onResponse(response, from);
  }

  #failed(why: 'timeout' | 'transport'): void {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return;
    this.#terminate();
    this.#user.onFailure(why);
  }

  #terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#sending.close();
    this.#timerK?.stop();
    this.#context.onTerminated();
  }
}
