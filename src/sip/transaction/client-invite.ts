//                  INVITE
//                    |            timer A: send again
//                    V            timer B: timeout        300-699: ACK
//                 calling ----------------------------------------+
//                    | 1xx                                        |
//                    V          300-699: ACK                      V
//               proceeding ------------------------------> completed (re-ACK) -- timer D --> terminated
//     2xx  |         | 2xx
//          +-> accepted (every 2xx goes up) -- timer M --> terminated          (RFC 6026)
import type { Timer } from '../clock.ts';
import { bytesOf, keepBytes, type KeptBytes } from '../message/kept-bytes.ts';
import { serialise, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { type Flow, isReliable } from '../transport/flow.ts';
import { besideInvite } from './beside-invite.ts';
import type { ClientTransaction, ClientUser, TransactionContext } from './client-transaction.ts';
import { RequestSending } from './request-sending.ts';
import { transactionTimeoutMs } from './timers.ts';

type State = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

/** RFC 3261 17.1.1 with RFC 6026. */
export class ClientInvite implements ClientTransaction {
  readonly method = 'INVITE';
  readonly #request: SipRequest;
  readonly #context: TransactionContext;
  readonly #user: ClientUser;
  readonly #sending: RequestSending;
  #state: State = 'calling';
  #linger: Timer | undefined;
  #ack: KeptBytes | undefined;

  constructor(request: SipRequest, context: TransactionContext, user: ClientUser) {
    this.#request = request;
    this.#context = context;
    this.#user = user;
    this.#sending = new RequestSending(
      request,
      context,
      (waitedMs) => waitedMs * 2,
      (why) => this.#failed(why),
    );
    this.#sending.start();
  }

  get state(): State {
    return this.#state;
  }

  receive(response: SipResponse, from: Flow): void {
    switch (this.#state) {
      case 'calling':
      case 'proceeding':
        return this.#answered(response, from);
      case 'accepted':
        if (response.status >= 200 && response.status < 300) this.#user.onResponse(response, from);
        return;
      case 'completed':
        if (response.status >= 300 && this.#ack !== undefined) this.#context.flow.send(bytesOf(this.#ack));
        return;
      case 'terminated':
        return;
    }
  }

  abandon(): void {
    this.#terminate();
  }

  #answered(response: SipResponse, from: Flow): void {
    this.#sending.stop();
    if (response.status < 200) {
      this.#state = 'proceeding';
    } else if (response.status < 300) {
      this.#state = 'accepted';
      this.#linger = this.#context.clock.after(transactionTimeoutMs(this.#context.timers), () => this.#terminate());
    } else {
      this.#state = 'completed';
      const ack = serialise(besideInvite(this.#request, 'ACK', response.headers));
      this.#ack = keepBytes(ack);
      this.#context.flow.send(ack);
      // Timer D: on a reliable transport nothing can be repeated, so nothing is waited for.
      const waitMs = isReliable(this.#context.flow.protocol) ? 0 : transactionTimeoutMs(this.#context.timers);
      this.#linger = this.#context.clock.after(waitMs, () => this.#terminate());
    }
    this.#user.onResponse(response, from);
  }

  #failed(why: 'timeout' | 'transport'): void {
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
    this.#terminate();
    this.#user.onFailure(why);
  }

  #terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#sending.close();
    this.#linger?.stop();
    this.#context.onTerminated();
  }
}
