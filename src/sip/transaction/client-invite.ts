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
import { Headers } from '../message/headers.ts';
import { cseqOf, noBody, serialise, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { type Flow, isReliable } from '../transport/flow.ts';
import type { ClientTransaction, ClientUser, TransactionContext } from './client-transaction.ts';
import { transactionTimeoutMs } from './timers.ts';

type State = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

/** RFC 3261 17.1.1 with RFC 6026. */
export class ClientInvite implements ClientTransaction {
  readonly request: SipRequest;
  readonly #context: TransactionContext;
  readonly #user: ClientUser;
  /** Let go when nothing is sent again: thousands of these linger for 32 s. */
  #bytes: Buffer | undefined;
  #state: State = 'calling';
  #timerA: Timer | undefined;
  #timerB: Timer | undefined;
  #linger: Timer | undefined;
  #ack: Buffer | undefined;
  readonly #stopWatching: () => void;

  constructor(request: SipRequest, context: TransactionContext, user: ClientUser) {
    this.request = request;
    this.#context = context;
    this.#user = user;
    this.#bytes = serialise(request);
    this.#stopWatching = context.flow.onLost(() => this.#flowLost());
    this.#timerB = context.clock.after(transactionTimeoutMs(context.timers), () => this.#timedOut());
    this.#send(context.timers.t1);
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
        if (response.status >= 300 && this.#ack !== undefined) this.#context.flow.send(this.#ack);
        return;
      case 'terminated':
        return;
    }
  }

  abandon(): void {
    this.#terminate();
  }

  #answered(response: SipResponse, from: Flow): void {
    this.#stopSending();
    this.#bytes = undefined;
    if (response.status < 200) {
      this.#state = 'proceeding';
    } else if (response.status < 300) {
      this.#state = 'accepted';
      this.#linger = this.#context.clock.after(transactionTimeoutMs(this.#context.timers), () => this.#terminate());
    } else {
      this.#state = 'completed';
      this.#ack = serialise(ackForFailure(this.request, response));
      this.#context.flow.send(this.#ack);
      // Timer D: on a reliable transport nothing can be repeated, so nothing is waited for.
      const waitMs = isReliable(this.#context.flow.protocol) ? 0 : transactionTimeoutMs(this.#context.timers);
      this.#linger = this.#context.clock.after(waitMs, () => this.#terminate());
    }
    this.#user.onResponse(response, from);
  }

  #send(nextMs: number): void {
    if (this.#bytes !== undefined) this.#context.flow.send(this.#bytes);
    if (isReliable(this.#context.flow.protocol)) return;
    this.#timerA = this.#context.clock.after(nextMs, () => this.#send(nextMs * 2));
  }

  #timedOut(): void {
    this.#terminate();
    this.#user.onFailure('timeout');
  }

  #flowLost(): void {
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
    this.#terminate();
    this.#user.onFailure('transport');
  }

  #stopSending(): void {
    this.#timerA?.stop();
    this.#timerB?.stop();
  }

  #terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#stopSending();
    this.#linger?.stop();
    this.#stopWatching();
    this.#context.onTerminated();
  }
}

/** RFC 3261 17.1.1.3: the ACK of a failure belongs to the transaction and carries its top Via only. */
function ackForFailure(invite: SipRequest, response: SipResponse): SipRequest {
  const headers = new Headers();
  headers.add('Via', invite.headers.get('Via') as string);
  headers.copy('Route', invite.headers);
  headers.add('Max-Forwards', '70');
  headers.copy('From', invite.headers);
  headers.copy('To', response.headers);
  headers.copy('Call-ID', invite.headers);
  headers.add('CSeq', `${cseqOf(invite).number} ACK`);
  return { kind: 'request', method: 'ACK', uri: invite.uri, headers, body: noBody };
}
