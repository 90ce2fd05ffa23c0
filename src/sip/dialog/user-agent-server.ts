import { Headers } from '../message/headers.ts';
import { isTargetRefresh, responseTo, type SipRequest, type SipResponse, toTagOf } from '../message/sip-message.ts';
import type { Random } from '../random.ts';
import type { ServerInvite } from '../transaction/server-invite.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/flow.ts';
import { createsDialog, Dialog, type DialogHost } from './dialog.ts';
import { uasParts } from './dialog-parts.ts';
import type { DialogTable } from './dialog-table.ts';
import type { EndpointHandlers } from './endpoint-handlers.ts';
import { IncomingRequest, type ResponseOptions, type ResponseSender } from './incoming-request.ts';
import { responseOwned } from './owned-headers.ts';
import { isSubscriptionEnd } from './subscription-end.ts';

/** The answering side, RFC 3261 8.2: finds the dialog of a request, answers what is ours to answer, passes on the rest. */
export class UserAgentServer implements ResponseSender {
  readonly #handlers: EndpointHandlers;
  readonly #supported: ReadonlySet<string>;
  readonly #random: Random;
  readonly #dialogs: DialogTable;
  readonly #host: DialogHost;
  /** INVITEs we have not answered, by transaction. */
  readonly #pendingInvites = new Map<ServerTransaction, IncomingRequest>();

  constructor(parts: {
    readonly handlers: EndpointHandlers;
    /** Option tags a peer may put into Require, in lower case. */
    readonly supported: ReadonlySet<string>;
    readonly random: Random;
    readonly dialogs: DialogTable;
    readonly host: DialogHost;
  }) {
    this.#handlers = parts.handlers;
    this.#supported = parts.supported;
    this.#random = parts.random;
    this.#dialogs = parts.dialogs;
    this.#host = parts.host;
  }

  requested(server: ServerTransaction, isMerged: boolean): void {
    const { request } = server;
    const isInDialog = toTagOf(request) !== '';
    const dialog = isInDialog ? this.#dialogs.ofRequest(request) : undefined;
    const incoming = new IncomingRequest(server, dialog, this);
    if (isMerged) return void incoming.respond(482);
    const unsupported = request.headers.list('Require').filter((tag) => !this.#supported.has(tag.toLowerCase()));
    if (unsupported.length > 0) {
      // RFC 4475 3.3.5. Alone it refuses nothing: Proxy-Require is not for whoever answers (RFC 3261 20.29).
      const proxyToo = request.headers.list('Proxy-Require');
      return void incoming.respond(420, {
        headers: new Headers().add('Unsupported', [...unsupported, ...proxyToo].join(', ')),
      });
    }
    if (dialog !== undefined) return this.#inDialog(incoming, dialog);
    // RFC 3261 12.2.2; PRACK, BYE and UPDATE make no sense without a dialog either.
    if (isInDialog || needsDialog.has(request.method)) return void incoming.respond(481);
    if (request.method === 'INVITE') this.#pendingInvites.set(server, incoming);
    this.#handlers.onRequest(incoming);
  }

  cancelled(cancel: ServerTransaction, invite: ServerInvite | undefined): void {
    const pending = invite === undefined ? undefined : this.#pendingInvites.get(invite);
    const answer = new IncomingRequest(cancel, undefined, this);
    if (invite === undefined) return void answer.respond(481);
    // RFC 3261 9.2: the CANCEL is answered 200 in any case, with the tag of the INVITE's own answer.
    answer.respond(200, pending?.localTag === undefined ? {} : { toTag: pending.localTag });
    if (pending !== undefined) this.#terminateInvite(pending, cancel.request);
  }

  acknowledged(ack: SipRequest, from: Flow): void {
    const dialog = this.#dialogs.ofRequest(ack);
    if (dialog?.acknowledged(ack) === true) this.#handlers.onAck(dialog, ack, from);
  }

  sendResponse(incoming: IncomingRequest, status: number, options: ResponseOptions): SipResponse | undefined {
    const { request, transaction } = incoming;
    if (transaction.isAnswered) return undefined;
    const isCreating =
      createsDialog(request.method) && incoming.dialog?.state !== 'confirmed' && toTagOf(request) === '';
    if (status > 100) incoming.localTag ??= toTagOf(request) || (options.toTag ?? this.#random.token());
    const response = responseTo(request, status, {
      reason: options.reason,
      toTag: status > 100 ? incoming.localTag : undefined,
      headers: this.#responseHeaders(incoming, status, isCreating, options.headers),
      body: options.body,
    });
    if (status > 100 && status < 300 && isCreating) incoming.dialog ??= this.#newDialog(incoming, response);
    const isSent = transaction.respond(response);
    if (!isSent) return undefined;
    if (status >= 200) this.#answered(incoming, response);
    return response;
  }

  // ---- requests

  #inDialog(incoming: IncomingRequest, dialog: Dialog): void {
    const { request } = incoming;
    incoming.localTag = dialog.localTag;
    if (!dialog.accepts(request)) return void incoming.respond(500, { reason: 'CSeq out of order' });
    if (request.method === 'BYE') return this.#byeReceived(incoming, dialog);
    if (request.method === 'INVITE') {
      // RFC 3261 14.2: one INVITE at a time in each direction.
      if (dialog.openInvite !== undefined) return void incoming.respond(491);
      if (dialog.pendingInvite !== undefined || dialog.state === 'early') {
        const retryAfter = new Headers().add('Retry-After', String(this.#random.below(11)));
        return void incoming.respond(500, { headers: retryAfter });
      }
      dialog.pendingInvite = incoming;
      this.#pendingInvites.set(incoming.transaction, incoming);
    }
    if (isTargetRefresh(request.method)) dialog.refresh(request, incoming.source);
    this.#handlers.onRequest(incoming);
    if (isSubscriptionEnd(dialog, request)) this.#dialogs.end(dialog, { why: 'subscriptionEnded' });
  }

  #byeReceived(incoming: IncomingRequest, dialog: Dialog): void {
    if (dialog.state === 'early') {
      // RFC 3261 15.1.2: a BYE in the early dialog ends the INVITE that made it.
      incoming.respond(200);
      const invite = [...this.#pendingInvites.values()].find((pending) => pending.dialog === dialog);
      if (invite !== undefined) this.#terminateInvite(invite, incoming.request);
      return;
    }
    const pending = dialog.pendingInvite;
    if (pending !== undefined) pending.respond(487);
    this.#handlers.onRequest(incoming);
    this.#dialogs.end(dialog, { why: 'byeReceived', bye: incoming.request });
  }

  #terminateInvite(invite: IncomingRequest, by: SipRequest): void {
    if (invite.respond(487) !== undefined) this.#handlers.onCancelled(invite, by);
  }

  // ---- responses

  #answered(incoming: IncomingRequest, response: SipResponse): void {
    const { request, dialog } = incoming;
    this.#pendingInvites.delete(incoming.transaction);
    if (dialog === undefined) return;
    if (dialog.pendingInvite === incoming) dialog.pendingInvite = undefined;
    if (response.status >= 300) {
      if (dialog.state === 'early') this.#dialogs.forget(dialog);
      return;
    }
    if (dialog.state === 'early') dialog.state = 'confirmed';
    if (request.method !== 'INVITE') return;
    dialog.repeatUntilAck(response, incoming.transaction.flow, () => this.#ackTimeout(dialog));
  }

  #ackTimeout(dialog: Dialog): void {
    const headers = new Headers().add('Reason', 'SIP ;cause=200 ;text="ACK timeout"');
    const { sent } = dialog.bye({ headers });
    this.#dialogs.end(dialog, { why: 'ackTimeout', bye: sent });
  }

  #responseHeaders(
    incoming: IncomingRequest,
    status: number,
    isCreating: boolean,
    given: Headers | undefined,
  ): Headers {
    const headers = new Headers();
    const { request } = incoming;
    const isUseful = status > 100 && status < 300;
    if (isUseful && isCreating) headers.copy('Record-Route', request.headers);
    const hasContact = given?.has('Contact') === true;
    if (isUseful && !hasContact && answersWithContact.has(request.method)) {
      headers.add('Contact', this.#host.contactFor(incoming.transaction.flow));
    }
    given?.forEach((name, value, key) => {
      if (!responseOwned.has(key)) headers.add(name, value);
    });
    return headers;
  }

  #newDialog({ request, source }: IncomingRequest, response: SipResponse): Dialog {
    return this.#dialogs.add(new Dialog(uasParts(request, response, source), this.#host));
  }
}

const needsDialog: ReadonlySet<string> = new Set(['BYE', 'UPDATE', 'PRACK']);
const answersWithContact: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE']);
