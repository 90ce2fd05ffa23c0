import type { Clock, Timer } from '../clock.ts';
import { Headers } from '../message/headers.ts';
import { responseTo, type SipRequest, type SipResponse, toTagOf } from '../message/sip-message.ts';
import { besideInvite } from '../transaction/beside-invite.ts';
import type { ClientTransaction } from '../transaction/client-transaction.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import { type Flow, isReliable } from '../transport/flow.ts';
import type { Candidates } from './candidates.ts';
import type { Dialog } from './dialog.ts';

/** Where a response came from. */
export interface ResponseOrigin {
  /** The dialog it established or belongs to. */
  readonly dialog: Dialog | undefined;
  /** Undefined if nobody sent it: a 408 or 503 that we made because nothing came. */
  readonly flow: Flow | undefined;
}

export interface OutgoingHandlers {
  /** Every provisional above 100, then exactly one final response: if no other, 408 (silence) or 503 (unreachable). */
  onResponse(response: SipResponse, origin: ResponseOrigin): void;
}

/** How the endpoint turns a 1xx or 2xx into a dialog, and what it does with a second 2xx. */
export interface DialogMaker {
  /** Whether a provisional response is to be processed: a reliable one that comes again is not. */
  isNews(outgoing: OutgoingRequest, response: SipResponse): boolean;
  dialogFor(outgoing: OutgoingRequest, response: SipResponse, from: Flow): Dialog | undefined;
  /** The transaction has its final response. */
  settled(outgoing: OutgoingRequest, response: SipResponse): void;
}

/** A server that says nothing over UDP in this time is passed over if there is another: after the third sending. */
const silentServerMs = 2_000;
/** The same for one that does not take a connection. */
const deafServerMs = 500;

/** A request of ours on its way. */
export class OutgoingRequest {
  /** As sent. */
  readonly sent: SipRequest;
  /** The dialog it was sent in, if any. */
  readonly within: Dialog | undefined;
  readonly #layer: TransactionLayer;
  readonly #clock: Clock;
  readonly #forgetAfterMs: number;
  readonly #handlers: OutgoingHandlers;
  readonly #maker: DialogMaker;
  #flow: Flow | undefined;
  #transaction: ClientTransaction | undefined;
  #state: 'waiting' | 'proceeding' | 'settled' = 'waiting';
  #isGivenUp = false;
  #cancel: SipRequest | undefined;
  #isCancelSent = false;
  #forget: Timer | undefined;

  constructor(options: {
    sent: SipRequest;
    within: Dialog | undefined;
    layer: TransactionLayer;
    clock: Clock;
    /** How long a cancelled INVITE may go on without a final response, RFC 3261 9.1. */
    forgetAfterMs: number;
    handlers: OutgoingHandlers;
    maker: DialogMaker;
  }) {
    this.sent = options.sent;
    this.within = options.within;
    this.#layer = options.layer;
    this.#clock = options.clock;
    this.#forgetAfterMs = options.forgetAfterMs;
    this.#handlers = options.handlers;
    this.#maker = options.maker;
  }

  get isSettled(): boolean {
    return this.#state === 'settled';
  }

  /** Settled without an answer: a 2xx that comes after all is nobody's. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Puts the request on the wire. Called once by the endpoint, when the next hop is known. */
  start(flow: Flow): void {
    if (this.#state === 'settled' || this.#cancel !== undefined) return;
    this.#attempt(flow, (status) => this.fail(status));
  }

  /** As `start`, with several servers to try: the next one gets it when one fails before it has said anything. */
  startAt(candidates: Candidates, restamp: (sent: SipRequest, flow: Flow) => void): void {
    if (this.#state === 'settled' || this.#cancel !== undefined) return;
    const flow = candidates.next();
    if (flow === undefined) return this.fail(503, 'no way to this address');
    restamp(this.sent, flow);
    const goOn = (status: 408 | 503): void => {
      candidates.failed();
      if (this.#cancel !== undefined) this.fail(487);
      else if (candidates.hasMore && this.#state === 'waiting') this.startAt(candidates, restamp);
      else this.fail(status);
    };
    this.#attempt(flow, goOn, candidates.hasMore);
    if (candidates.hasMore) this.#hurry(flow, goOn);
  }

  /** Settles without an answer from the network. */
  fail(status: 408 | 480 | 487 | 503, reason?: string): void {
    if (this.#state === 'settled') return;
    this.#isGivenUp = true;
    this.#settle(responseTo(this.sent, status, { reason }), undefined);
  }

  /** Nobody is there: settles with 408, and says nothing to whoever may come yet. */
  abandon(): void {
    this.#transaction?.abandon();
    this.fail(408);
  }

  /** Whoever answered has hung up before the answer came: settles with 480, and whoever still rings is told to stop. */
  hungUp(): void {
    this.cancel();
    this.fail(480, 'Hung up before the answer came');
    this.#forget = this.#clock.after(this.#forgetAfterMs, () => this.#transaction?.abandon());
  }

  /**
   * Cancels an INVITE and returns the CANCEL; undefined if it is settled or no INVITE.
   * The CANCEL waits for the first provisional response (RFC 3261 9.1); the INVITE ends with 487, or with the
   * answer that was faster. An INVITE whose next hop is still looked up is not sent any more.
   */
  cancel(headers: Headers = new Headers()): SipRequest | undefined {
    if (this.#state === 'settled' || this.sent.method !== 'INVITE' || this.#cancel !== undefined) return undefined;
    this.#cancel = cancelFor(this.sent, headers);
    if (this.#flow === undefined) this.#clock.after(0, () => this.fail(487));
    if (this.#state === 'proceeding') this.#sendCancel();
    return this.#cancel;
  }

  #attempt(flow: Flow, onFailure: (status: 408 | 503) => void, hasMore = false): void {
    this.#flow = flow;
    this.#transaction = this.#layer.start(this.sent, flow, {
      onResponse: (response, from) => {
        // RFC 3263 4.3: a server that is overloaded or going down says so, and another one may not be.
        if (hasMore && this.#state === 'waiting' && response.status === 503) onFailure(503);
        else this.#received(response, from);
      },
      onFailure: (why) => onFailure(why === 'timeout' ? 408 : 503),
    });
  }

  /** With another server at hand, a silent one is not waited for as long as RFC 3261 would. */
  #hurry(flow: Flow, onFailure: (status: 408 | 503) => void): void {
    const attempt = this.#transaction;
    const giveUp = (): void => {
      if (this.#state !== 'waiting' || this.#transaction !== attempt) return;
      attempt?.abandon();
      onFailure(408);
    };
    if (!isReliable(flow.protocol)) return void this.#clock.after(silentServerMs, giveUp);
    this.#clock.after(deafServerMs, () => {
      if (flow.isReady !== true) giveUp();
    });
  }

  #received(response: SipResponse, from: Flow): void {
    if (response.status < 200) {
      if (this.#cancel !== undefined) this.#sendCancel();
      // Given up while somebody rings: nobody waits for that any more.
      if (this.#state === 'settled') return;
      this.#state = 'proceeding';
      if (!this.#maker.isNews(this, response) || response.status === 100) return;
      this.#handlers.onResponse(response, { dialog: this.#maker.dialogFor(this, response, from), flow: from });
    } else if (this.#state === 'settled') {
      // A 2xx again, or from another branch: the maker repeats its ACK or ends that branch.
      this.#maker.dialogFor(this, response, from);
    } else {
      this.#settle(response, from);
    }
  }

  #settle(response: SipResponse, from: Flow | undefined): void {
    this.#state = 'settled';
    this.#forget?.stop();
    const dialog =
      from !== undefined && response.status < 300 ? this.#maker.dialogFor(this, response, from) : this.within;
    this.#maker.settled(this, response);
    this.#handlers.onResponse(response, { dialog, flow: from });
  }

  #sendCancel(): void {
    if (this.#flow === undefined || this.#cancel === undefined || this.#isCancelSent) return;
    this.#isCancelSent = true;
    // The answer to a CANCEL says nothing we act on: the INVITE's own final response does.
    this.#layer.start(this.#cancel, this.#flow, { onResponse() {}, onFailure() {} });
    this.#forget = this.#clock.after(this.#forgetAfterMs, () => this.abandon());
  }
}

/** The number of a reliable provisional response. */
export function rseqOf(response: SipResponse): number | undefined {
  const value = response.headers.get('RSeq');
  return value !== undefined && /^\d{1,10}$/.test(value) && response.status < 200 ? Number(value) : undefined;
}

function cancelFor(invite: SipRequest, extra: Headers): SipRequest {
  const cancel = besideInvite(invite, 'CANCEL', invite.headers);
  extra.forEach((name, value, key) => {
    if (!cancel.headers.has(key)) cancel.headers.add(name, value);
  });
  return cancel;
}

/** Whether a response can make a dialog: RFC 3261 12.1, RFC 6665 4.1. */
export function makesDialog(method: string, response: SipResponse): boolean {
  if (toTagOf(response) === '' || response.status <= 100 || response.status >= 300) return false;
  return method === 'INVITE' || (method === 'SUBSCRIBE' && response.status >= 200);
}
