import { namesExtension } from '../message/extensions.ts';
import { Headers } from '../message/headers.ts';
import { isSdp } from '../message/is-sdp.ts';
import { isTargetRefresh, responseTo, type SipRequest, type SipResponse, toTagOf } from '../message/sip-message.ts';
import type { Random } from '../random.ts';
import type { ServerInvite } from '../transaction/server-invite.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Arrived } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import { createsDialog, Dialog, type DialogHost } from './dialog.ts';
import { uasParts } from './dialog-parts.ts';
import type { DialogTable } from './dialog-table.ts';
import type { EndpointHandlers } from './endpoint-handlers.ts';
import { IncomingRequest, type ResponseOptions, type ResponseSender } from './incoming-request.ts';
import { ReliableProvisionals } from './reliable-provisionals.ts';
import { responseHeaders } from './response-headers.ts';
import { asksTooShort, minSessionSeconds, termsOfAnswer } from './session-timer.ts';
import { isSubscriptionEnd } from './subscription-end.ts';

/** Requests that are not for us but go through us, because we have put ourselves into their Route. */
export interface Passage {
  takes(request: SipRequest): boolean;
  /** Whether we have passed it on before: as it is now, or as something else. */
  judge(request: SipRequest): 'new' | 'loop' | 'spiral';
  pass(incoming: IncomingRequest): void;
  passAck(ack: SipRequest): void;
}

/** The answering side, RFC 3261 8.2: finds the dialog of a request, answers what is ours to answer, passes on the rest. */
export class UserAgentServer implements ResponseSender {
  readonly #handlers: EndpointHandlers;
  readonly #supported: ReadonlySet<string>;
  readonly #random: Random;
  readonly #dialogs: DialogTable;
  readonly #host: DialogHost;
  readonly #passage: Passage;
  readonly #hasSessionTimers: boolean;
  /** INVITEs we have not answered, by transaction. */
  readonly #pendingInvites = new Map<ServerTransaction, IncomingRequest>();

  constructor(parts: {
    readonly handlers: EndpointHandlers;
    /** Option tags a peer may put into Require, in lower case. */
    readonly supported: ReadonlySet<string>;
    readonly random: Random;
    readonly dialogs: DialogTable;
    readonly host: DialogHost;
    readonly passage: Passage;
    readonly hasSessionTimers: boolean;
  }) {
    this.#hasSessionTimers = parts.hasSessionTimers;
    this.#passage = parts.passage;
    this.#handlers = parts.handlers;
    this.#supported = parts.supported;
    this.#random = parts.random;
    this.#dialogs = parts.dialogs;
    this.#host = parts.host;
  }

  requested(server: ServerTransaction, arrived: Arrived, isMerged: boolean): void {
    const { request } = arrived;
    const isInDialog = toTagOf(request) !== '';
    const dialog = isInDialog ? this.#dialogs.ofRequest(request) : undefined;
    const incoming = new IncomingRequest(arrived, server, dialog, this);
    const before = isInDialog ? 'new' : this.#passage.judge(request);
    // RFC 3261 16.3 step 4: what comes back as something else, to be passed on once more, is no second copy.
    if (before === 'loop' || (isMerged && before === 'new')) return void incoming.respond(482);
    if (isInDialog && dialog === undefined && this.#passage.takes(request)) {
      if (request.method === 'INVITE') this.#pendingInvites.set(server, incoming);
      return this.#passage.pass(incoming);
    }
    const unsupported = request.headers.list('Require').filter((tag) => !this.#supported.has(tag.toLowerCase()));
    if (unsupported.length > 0) {
      // RFC 4475 3.3.5. Alone it refuses nothing: Proxy-Require is not for whoever answers (RFC 3261 20.29).
      const proxyToo = request.headers.list('Proxy-Require');
      return void incoming.respond(420, {
        headers: new Headers().add('Unsupported', [...unsupported, ...proxyToo].join(', ')),
      });
    }
    if (this.#hasSessionTimers && asksTooShort(request)) {
      return void incoming.respond(422, { headers: new Headers().add('Min-SE', String(minSessionSeconds)) });
    }
    if (dialog !== undefined) return this.#inDialog(incoming, dialog);
    if (request.method === 'BYE' && this.#host.hungUpEarly(request)) return void incoming.respond(200);
    // RFC 3261 12.2.2; PRACK, BYE and UPDATE make no sense without a dialog either.
    if (isInDialog || needsDialog.has(request.method)) return void incoming.respond(481);
    if (request.method === 'INVITE') this.#pendingInvites.set(server, incoming);
    this.#handlers.onRequest(incoming);
  }

  cancelled(server: ServerTransaction, cancel: Arrived, invite: ServerInvite | undefined): void {
    const pending = invite === undefined ? undefined : this.#pendingInvites.get(invite);
    const answer = new IncomingRequest(cancel, server, undefined, this);
    if (invite === undefined) return void answer.respond(481);
    // RFC 3261 9.2: the CANCEL is answered 200 in any case, with the tag of the INVITE's own answer.
    answer.respond(200, pending?.localTag === undefined ? {} : { toTag: pending.localTag });
    if (pending?.passage !== undefined) pending.passage.cancel();
    else if (pending !== undefined) this.#terminateInvite(pending, cancel.request);
  }

  acknowledged(ack: SipRequest, from: Flow): void {
    const dialog = this.#dialogs.ofRequest(ack);
    if (dialog?.acknowledged(ack) === true) this.#handlers.onAck(dialog, ack, from);
    if (dialog === undefined && this.#passage.takes(ack)) this.#passage.passAck(ack);
  }

  /** Sends the response of somebody else to whom the request was passed on. */
  passBack(incoming: IncomingRequest, response: SipResponse): void {
    if (response.status >= 200) this.#pendingInvites.delete(incoming.transaction);
    incoming.transaction.respond(response);
  }

  sendResponse(incoming: IncomingRequest, status: number, options: ResponseOptions): SipResponse | undefined {
    const { request, transaction } = incoming;
    if (transaction.isAnswered || incoming.reliable?.holdsAnswer === true) return undefined;
    const isCreating = isOutsideDialogs(request) && incoming.dialog?.state !== 'confirmed';
    const reliable = this.#reliableFor(incoming, status, options.headers);
    if (reliable === 'refused') return undefined;
    if (status > 100) incoming.localTag ??= toTagOf(request) || (options.toTag ?? this.#random.token());
    const response = responseTo(request, status, {
      reason: options.reason,
      toTag: status > 100 ? incoming.localTag : undefined,
      headers: responseHeaders(incoming, {
        status,
        isCreating,
        given: options.headers,
        contactFor: (flow) => this.#host.contactFor(flow),
        hasSessionTimers: this.#hasSessionTimers,
      }),
      body: options.body,
    });
    if (reliable !== undefined) response.headers.add('RSeq', String(reliable.nextRseq()));
    if (status > 100 && status < 300 && isCreating) incoming.dialog ??= this.#newDialog(incoming, response);
    if (reliable !== undefined) {
      if (incoming.dialog !== undefined) incoming.dialog.provisionals = reliable;
      reliable.send(response);
      return response;
    }
    if (status >= 200 && status < 300 && incoming.reliable?.hasOpenOffer === true) {
      incoming.reliable.hold(() => this.#send(incoming, response));
      return response;
    }
    return this.#send(incoming, response) ? response : undefined;
  }

  #send(incoming: IncomingRequest, response: SipResponse): boolean {
    const isSent = incoming.transaction.respond(response);
    if (isSent && response.status >= 200) this.#answered(incoming, response);
    return isSent;
  }

  // ---- requests

  #inDialog(incoming: IncomingRequest, dialog: Dialog): void {
    const { request } = incoming;
    incoming.localTag = dialog.localTag;
    if (!dialog.accepts(request)) return void incoming.respond(500, { reason: 'CSeq out of order' });
    if (request.method === 'BYE') return this.#byeReceived(incoming, dialog);
    if (request.method === 'PRACK') return this.#prack(incoming, dialog);
    if (request.method === 'UPDATE') {
      // RFC 3311 5.2: one UPDATE at a time, and one offer.
      if (dialog.pendingUpdate !== undefined) return this.#refuseForNow(incoming);
      if (request.body.length > 0 && dialog.hasOpenOffer) return void incoming.respond(491);
      dialog.pendingUpdate = incoming;
    }
    if (request.method === 'INVITE') {
      // RFC 3261 14.2: one INVITE at a time in each direction.
      if (dialog.openInvite !== undefined) return void incoming.respond(491);
      if (dialog.pendingInvite !== undefined || dialog.state === 'early') {
        return this.#refuseForNow(incoming);
      }
      dialog.pendingInvite = incoming;
      this.#pendingInvites.set(incoming.transaction, incoming);
    }
    if (isTargetRefresh(request.method)) dialog.refresh(request, incoming.source);
    this.#handlers.onRequest(incoming);
    if (isSubscriptionEnd(dialog, request)) this.#dialogs.end(dialog, { why: 'subscriptionEnded' });
  }

  #byeReceived(incoming: IncomingRequest, dialog: Dialog): void {
    const early = dialog.state === 'early' ? this.#pendingInviteOf(dialog) : undefined;
    if (dialog.state === 'early' && early?.reliable?.holdsAnswer !== true) {
      // RFC 3261 15.1.2: a BYE in the early dialog ends the INVITE that made it.
      incoming.respond(200);
      if (dialog.role === 'uac') return void this.#host.hungUpEarly(incoming.request);
      if (early !== undefined) this.#terminateInvite(early, incoming.request);
      return;
    }
    const pending = dialog.pendingInvite;
    if (pending !== undefined) pending.respond(487);
    this.#handlers.onRequest(incoming);
    this.#dialogs.end(dialog, { why: 'byeReceived', bye: incoming.request });
    // Answered, as far as whoever answered knows.
    early?.reliable?.stop();
    early?.respond(487);
  }

  #terminateInvite(invite: IncomingRequest, by: SipRequest, status = 487): void {
    if (invite.respond(status) !== undefined) this.#handlers.onCancelled(invite, by);
  }

  #pendingInviteOf(dialog: Dialog): IncomingRequest | undefined {
    for (const pending of this.#pendingInvites.values()) if (pending.dialog === dialog) return pending;
    return undefined;
  }

  #prack(incoming: IncomingRequest, { provisionals }: Dialog): void {
    // RFC 3262 3: one that matches no unacknowledged response.
    if (provisionals?.acknowledge(incoming.request) !== true) return void incoming.respond(481);
    this.#handlers.onRequest(incoming);
    provisionals.release();
  }

  #refuseForNow(incoming: IncomingRequest): void {
    incoming.respond(500, { headers: new Headers().add('Retry-After', String(this.#random.below(11))) });
  }

  // ---- responses

  #answered(incoming: IncomingRequest, response: SipResponse): void {
    const { request, dialog } = incoming;
    this.#pendingInvites.delete(incoming.transaction);
    incoming.reliable?.stop();
    if (dialog === undefined) return;
    if (dialog.pendingUpdate === incoming) dialog.pendingUpdate = undefined;
    if (dialog.pendingInvite === incoming) dialog.pendingInvite = undefined;
    // A PRACK or an UPDATE in the early dialog decides nothing about it.
    const isCreating = dialog.state === 'early' && isOutsideDialogs(request);
    if (response.status >= 300) {
      if (isCreating) this.#dialogs.forget(dialog);
      return;
    }
    if (isCreating) dialog.state = 'confirmed';
    if (isSdp(response.headers, response.body)) dialog.localSdp = response.body;
    if (request.method === 'INVITE' || request.method === 'UPDATE') this.#restartSession(dialog, request, response);
    if (request.method !== 'INVITE') return;
    dialog.repeatUntilAck(response, incoming.transaction.flow, () => this.#ackTimeout(dialog));
  }

  /** What makes a provisional response reliable; nothing if it need not be. */
  #reliableFor(
    incoming: IncomingRequest,
    status: number,
    given: Headers | undefined,
  ): ReliableProvisionals | 'refused' | undefined {
    const { request, transaction } = incoming;
    if (request.method !== 'INVITE' || status <= 100 || status >= 200) return undefined;
    const isWanted = given !== undefined && namesExtension(given, 'Require', '100rel');
    // RFC 3262 3: a caller that requires it gets no other kind.
    if (!isWanted && !namesExtension(request.headers, 'Require', '100rel')) return undefined;
    if (!incoming.takesReliable) return 'refused';
    incoming.reliable ??= new ReliableProvisionals({
      invite: request,
      firstRseq: 1 + this.#random.below(0x3fff_ffff),
      t1: this.#host.t1,
      after: (afterMs, action) => this.#host.after(afterMs, action),
      transmit: (response) => void transaction.respond(response),
      onGivenUp: (heldAnswer) => {
        if (heldAnswer && incoming.dialog?.state === 'early') this.#ackTimeout(incoming.dialog);
        this.#terminateInvite(incoming, request, 504);
      },
    });
    return incoming.reliable;
  }

  #restartSession(dialog: Dialog, request: SipRequest, response: SipResponse): void {
    const terms = this.#hasSessionTimers ? termsOfAnswer(request, response.headers) : undefined;
    if (terms === undefined) dialog.session.stop();
    else dialog.session.restart(terms.seconds, terms.refresher === 'uas');
  }

  #ackTimeout(dialog: Dialog): void {
    const headers = new Headers().add('Reason', 'SIP ;cause=200 ;text="ACK timeout"');
    const { sent } = dialog.bye({ headers });
    this.#dialogs.end(dialog, { why: 'ackTimeout', bye: sent });
  }

  #newDialog({ request, source }: IncomingRequest, response: SipResponse): Dialog {
    const dialog = new Dialog(uasParts(request, response, source), this.#host);
    dialog.refresh(request, source);
    return this.#dialogs.add(dialog);
  }
}

const needsDialog: ReadonlySet<string> = new Set(['BYE', 'UPDATE', 'PRACK']);

/** Whether an answer to it can make a dialog. */
function isOutsideDialogs(request: SipRequest): boolean {
  return createsDialog(request.method) && toTagOf(request) === '';
}
