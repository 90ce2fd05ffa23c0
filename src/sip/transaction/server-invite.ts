//               INVITE
//                 |  no response within 200 ms: 100
//                 V      INVITE again: last provisional again
//             proceeding -------- 300-699 --------> completed -- ACK --> confirmed -- timer I --> terminated
//                 | 2xx                              | timer G: send again
//                 V                                  | timer H: no ACK came
//             accepted -- timer L --> terminated     +-------------------------------------------> terminated
//             (INVITE again is absorbed, the 2xx is repeated by the dialog: RFC 6026 7.1)
import type { Timer } from '../clock.ts';
import { bytesOf, keepBytes, type KeptBytes } from '../message/kept-bytes.ts';
import { responseTo, serialise, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { type Flow, isReliable } from '../transport/flow.ts';
import type { TransactionContext } from './client-transaction.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { transactionTimeoutMs } from './timers.ts';

type State = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

const tryingAfterMs = 200;

/** RFC 3261 13.3.1.1: proxies on the way give up a call that rings for three minutes without a word (timer C). */
const stillRingingEveryMs = 60_000;

/** RFC 3261 17.2.1 with RFC 6026. */
export class ServerInvite implements ServerTransaction {
  readonly method = 'INVITE';
  readonly flow: Flow;
  readonly #context: TransactionContext;
  #state: State = 'proceeding';
  /** What is sent again, and nothing else of the message: it may be kept for 32 s. */
  #last: KeptBytes | undefined;
  #trying: Timer | undefined;
  #stillRinging: Timer | undefined;
  #timerG: Timer | undefined;
  #timerHorL: Timer | undefined;
  #timerI: Timer | undefined;

  constructor(request: SipRequest, context: TransactionContext) {
    this.flow = context.flow;
    this.#context = context;
    this.#trying = context.clock.after(tryingAfterMs, () => this.respond(responseTo(request, 100)));
  }

  get state(): State {
    return this.#state;
  }

  get isAnswered(): boolean {
    return this.#state !== 'proceeding';
  }

  respond(response: SipResponse): boolean {
    // RFC 6026 7.1: a proxy passes on every 2xx, also those of further branches.
    if (this.#state === 'accepted' && response.status >= 200 && response.status < 300) {
      this.flow.send(serialise(response));
      return true;
    }
    if (this.#state !== 'proceeding') return false;
    this.#trying?.stop();
    this.#stillRinging?.stop();
    const bytes = serialise(response);
    this.flow.send(bytes);
    const { clock, timers } = this.#context;
    if (response.status < 200) {
      this.#last = keepBytes(bytes);
      if (response.status > 100) this.#keepRinging();
      return true;
    }
    this.#context.onAnswered?.();
    if (response.status < 300) {
      this.#state = 'accepted';
      // The dialog repeats a 2xx, not this machine.
      this.#last = undefined;
      this.#timerHorL = clock.after(transactionTimeoutMs(timers), () => this.#terminate());
      return true;
    }
    this.#state = 'completed';
    this.#last = keepBytes(bytes);
    this.#timerHorL = clock.after(transactionTimeoutMs(timers), () => this.#terminate());
    if (!isReliable(this.flow.protocol)) this.#repeatFinal(timers.t1);
    return true;
  }

  repeat(): void {
    switch (this.#state) {
      case 'proceeding':
      case 'completed':
        if (this.#last !== undefined) this.flow.send(bytesOf(this.#last));
        return;
      case 'accepted':
      case 'confirmed':
      case 'terminated':
        return;
    }
  }

  /** An ACK with the branch of this INVITE. True if it acknowledged a failure, so that nobody else need see it. */
  acknowledge(): boolean {
    switch (this.#state) {
      case 'completed': {
        this.#state = 'confirmed';
        this.#last = undefined;
        this.#timerG?.stop();
        this.#timerHorL?.stop();
        const waitMs = isReliable(this.flow.protocol) ? 0 : this.#context.timers.t4;
        this.#timerI = this.#context.clock.after(waitMs, () => this.#terminate());
        return true;
      }
      case 'confirmed':
      case 'terminated':
        return true;
      case 'proceeding':
      case 'accepted':
        // Some phones put the ACK of a 2xx into the branch of the INVITE; the dialog wants it.
        return false;
    }
  }

  abandon(): void {
    this.#terminate();
  }

  #keepRinging(): void {
    this.#stillRinging = this.#context.clock.after(stillRingingEveryMs, () => {
      this.repeat();
      this.#keepRinging();
    });
  }

  #repeatFinal(afterMs: number): void {
    this.#timerG = this.#context.clock.after(afterMs, () => {
      if (this.#last !== undefined) this.flow.send(bytesOf(this.#last));
      this.#repeatFinal(Math.min(afterMs * 2, this.#context.timers.t2));
    });
  }

  #terminate(): void {
    if (this.#state === 'terminated') return;
    if (this.#state === 'proceeding') this.#context.onAnswered?.();
    this.#state = 'terminated';
    for (const timer of [this.#trying, this.#stillRinging, this.#timerG, this.#timerHorL, this.#timerI]) timer?.stop();
    this.#context.onTerminated();
  }
}
