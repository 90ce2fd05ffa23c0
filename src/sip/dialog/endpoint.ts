import { type Clock, systemClock, type Timer } from '../clock.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { Headers } from '../message/headers.ts';
import { tagOf } from '../message/name-addr.ts';
import type { ParseResult } from '../message/parse-message.ts';
import {
  callIdOf,
  cseqOf,
  fromTagOf,
  isTargetRefresh,
  noBody,
  parseCSeq,
  responseTo,
  serialise,
  type SipRequest,
  type SipResponse,
  topViaOf,
  toTagOf,
} from '../message/sip-message.ts';
import { hostPortText } from '../message/uri.ts';
import { magicCookie } from '../message/via.ts';
import { type Random, systemRandom } from '../random.ts';
import type { ServerInvite } from '../transaction/server-invite.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { type SipTimers, standardTimers, transactionTimeoutMs } from '../transaction/timers.ts';
import { TransactionLayer } from '../transaction/transaction-layer.ts';
import {
  type Flow,
  type HostPort,
  isReliable,
  type ListenAddress,
  type Protocol,
  type Vantage,
} from '../transport/flow.ts';
import { isLoopback } from '../transport/local-address.ts';
import { type Network, systemNetwork } from '../transport/network.ts';
import { defaultTransportLimits, Transport, type TransportLimits } from '../transport/transport.ts';
import { contactUri, Dialog, type DialogEnding, type DialogHost, dialogKey, type DraftRequest } from './dialog.ts';
import type { InDialogHandlers } from './in-flight.ts';
import { IncomingRequest, type ResponseOptions, type ResponseSender } from './incoming-request.ts';
import { hopOf } from './next-hop.ts';
import { type DialogMaker, makesDialog, type OutgoingHandlers, OutgoingRequest } from './outgoing-request.ts';

/** What the owner of an endpoint is told. Every call comes in a turn of its own message or timer. */
export interface EndpointHandlers {
  /** A new request, in a dialog (`incoming.dialog`) or outside. Never ACK or CANCEL. Answer it with `incoming.respond`. */
  onRequest(incoming: IncomingRequest): void;
  /** The caller gave up before we answered; 487 has been sent. `by` is the CANCEL, or a BYE in the early dialog. */
  onCancelled(incoming: IncomingRequest, by: SipRequest): void;
  /** The first ACK for a 2xx of ours; it carries the SDP answer if we made the offer. */
  onAck(dialog: Dialog, ack: SipRequest, from: Flow): void;
  /** A confirmed dialog has ended, once for each, whatever ended it. */
  onDialogEnded(dialog: Dialog, ending: DialogEnding): void;
}

export interface EndpointOptions {
  readonly listen: readonly ListenAddress[];
  readonly handlers: EndpointHandlers;
  /** The host name or address that peers outside this machine are told; our own address towards them if absent. */
  readonly advertisedHost?: string | undefined;
  /** Option tags a peer may put into Require; anything else is answered 420. */
  readonly supported?: readonly string[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly timers?: SipTimers;
  readonly network?: Network;
  readonly logger?: Logger;
  readonly limits?: TransportLimits;
}

export interface NewRequest {
  readonly method: string;
  /** A sip: URI. */
  readonly uri: string;
  /** From, To, Call-ID, CSeq, Contact, Max-Forwards are made up where absent; Via and Route of the app are kept out. */
  readonly headers?: Headers;
  readonly body?: Buffer;
  /** Send it to this URI's host instead of the Request-URI's. */
  readonly nextHop?: string | undefined;
  /** Send it over this very connection. */
  readonly flow?: Flow | undefined;
}

export type RequestResult =
  | { readonly kind: 'sent'; readonly outgoing: OutgoingRequest }
  | { readonly kind: 'refused'; readonly why: string };

/** Counted since the start. */
export interface EndpointCounters {
  received: number;
  /** Malformed requests that were answered. */
  refused: number;
  /** What could not even be answered. */
  dropped: number;
  strayResponses: number;
}

/**
 * A SIP user agent: transports, transactions and dialogs in one. It answers 100, CANCEL, merged requests, strays and
 * malformed requests itself, repeats what must be repeated, and passes everything else up.
 */
export class SipEndpoint implements ResponseSender, DialogMaker, DialogHost {
  readonly counters: EndpointCounters = { received: 0, refused: 0, dropped: 0, strayResponses: 0 };
  readonly t1: number;
  readonly t2: number;
  readonly #options: EndpointOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #timers: SipTimers;
  readonly #network: Network;
  readonly #supported: ReadonlySet<string>;
  readonly #layer: TransactionLayer;
  readonly #dialogs = new Map<string, Dialog>();
  /** INVITEs we have not answered, by transaction. */
  readonly #pendingInvites = new Map<ServerTransaction, IncomingRequest>();
  /** The dialog an INVITE of ours ended up with, so that a 2xx of another branch is recognised. */
  readonly #winners = new WeakMap<OutgoingRequest, Dialog>();
  readonly #earlyOf = new WeakMap<OutgoingRequest, Set<Dialog>>();
  #transport!: Transport;
  #isClosed = false;

  private constructor(options: EndpointOptions) {
    this.#options = options;
    this.#random = options.random ?? systemRandom;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = guarded(options.clock ?? systemClock, this.#logger);
    this.#timers = options.timers ?? standardTimers;
    this.#network = options.network ?? systemNetwork;
    this.#supported = new Set(options.supported ?? []);
    this.t1 = this.#timers.t1;
    this.t2 = this.#timers.t2;
    this.#layer = new TransactionLayer({
      clock: this.#clock,
      timers: this.#timers,
      replyFlow: (request, source) => this.#replyFlow(request, source),
      onRequest: (server, isMerged) => this.#requested(server, isMerged),
      onCancel: (cancel, invite) => this.#cancelled(cancel, invite),
      onAck: (ack, flow) => this.#acknowledged(ack, flow),
      onStrayResponse: () => void this.counters.strayResponses++,
    });
  }

  /** Opens the sockets. Rejects with ListenError, which names the address, the reason and the remedy. */
  static async open(options: EndpointOptions): Promise<SipEndpoint> {
    const endpoint = new SipEndpoint(options);
    endpoint.#transport = await Transport.open({
      listen: options.listen,
      network: endpoint.#network,
      clock: endpoint.#clock,
      logger: endpoint.#logger,
      limits: options.limits ?? defaultTransportLimits,
      onReceived: (result, flow) => endpoint.#received(result, flow),
    });
    return endpoint;
  }

  /** Where it listens, with real port numbers. */
  get addresses(): ListenAddress[] {
    return this.#transport.addresses;
  }

  /** As `addresses`, a wildcard replaced by the address that faces the world. */
  get visibleAddresses(): ListenAddress[] {
    return this.#transport.visibleAddresses;
  }

  get protocols(): Protocol[] {
    return this.#transport.protocols;
  }

  get transportCounters(): Transport['counters'] {
    return this.#transport.counters;
  }

  /** Living things: for metrics, and for tests that nothing is forgotten. */
  get counts(): { dialogs: number; clients: number; servers: number } {
    return { dialogs: this.#dialogs.size, ...this.#layer.counts };
  }

  /** Sends a request outside any dialog. Refused only for what can be known at once; the rest comes as a response. */
  request(draft: NewRequest, handlers: OutgoingHandlers): RequestResult {
    if (draft.flow !== undefined && draft.flow.isOpen) return this.#start(draft, draft.flow, handlers);
    const found = hopOf(draft.nextHop ?? draft.uri, this.#transport.protocols);
    if (found.kind === 'refused') return found;
    const { hop } = found;
    if (!hop.isLiteral) return this.#startAfterLookup(draft, hop, handlers);
    if (this.#transport.isOwn(hop.protocol, hop)) return { kind: 'refused', why: 'can not send request to myself' };
    const flow = this.#transport.flowTo(hop.protocol, hop);
    if (flow === undefined) return { kind: 'refused', why: 'requested protocol/transport not available' };
    return this.#start(draft, flow, handlers);
  }

  /** How the receiver of such a request would see us; undefined if it would be refused. */
  vantageFor(draft: Pick<NewRequest, 'uri' | 'nextHop' | 'flow'>): Vantage | undefined {
    if (draft.flow !== undefined && draft.flow.isOpen) return draft.flow;
    const found = hopOf(draft.nextHop ?? draft.uri, this.#transport.protocols);
    if (found.kind === 'refused') return undefined;
    const { hop } = found;
    return hop.isLiteral ? this.#transport.vantageTo(hop.protocol, hop) : this.#anyVantage(hop.protocol);
  }

  /** `<sip:host:port;transport=…>`, as the peer of `flow` should see us. */
  contactFor(flow: Vantage): string {
    const { host, port } = this.sentBy(flow);
    return `<sip:${hostPortText(host, port)}${flow.protocol === 'udp' ? '' : `;transport=${flow.protocol}`}>`;
  }

  /** Our address as the peer of `flow` should see it. */
  sentBy(flow: Vantage): HostPort {
    const { advertisedHost } = this.#options;
    if (advertisedHost === undefined || isLoopback(flow.remote.host)) return flow.local;
    return { host: advertisedHost, port: flow.local.port };
  }

  /** Closes every socket at once. Says no goodbye: end the dialogs first if you want that. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#layer.close();
    for (const dialog of this.#dialogs.values()) dialog.stop();
    this.#dialogs.clear();
    this.#transport.close();
  }

  // ---- what dialogs and requests need of us

  after(afterMs: number, action: () => void): Timer {
    return this.#clock.after(afterMs, action);
  }

  sendInDialog(dialog: Dialog, draft: DraftRequest, handlers: InDialogHandlers): OutgoingRequest {
    const { flow, name } = this.#hopOfDialog(dialog);
    const outgoing = this.#outgoing(
      this.#withVia(draft, flow ?? this.#anyVantage(dialog.flow.protocol)),
      dialog,
      handlers,
    );
    this.#startLater(outgoing, flow, name);
    return outgoing;
  }

  sendAck(dialog: Dialog, draft: DraftRequest): { sent: SipRequest; flow: Flow | undefined } {
    const { flow, name } = this.#hopOfDialog(dialog);
    const sent = this.#withVia(draft, flow ?? this.#anyVantage(dialog.flow.protocol));
    if (flow !== undefined) flow.send(serialise(sent));
    else if (name !== undefined) {
      this.#lookup(name).then(
        (found) => found?.send(serialise(sent)),
        () => this.#logger.warn({ reason: 'lookup failed' }, 'ack not sent'),
      );
    }
    return { sent, flow };
  }

  sendResponse(incoming: IncomingRequest, status: number, options: ResponseOptions): SipResponse | undefined {
    const { request, transaction } = incoming;
    if (transaction.isAnswered) return undefined;
    const createsDialog =
      dialogCreators.has(request.method) && incoming.dialog?.state !== 'confirmed' && toTagOf(request) === '';
    if (status > 100) incoming.localTag ??= toTagOf(request) || (options.toTag ?? this.#random.token());
    const response = responseTo(request, status, {
      reason: options.reason,
      toTag: status > 100 ? incoming.localTag : undefined,
      headers: this.#responseHeaders(incoming, status, createsDialog, options.headers),
      body: options.body,
    });
    if (status > 100 && status < 300 && createsDialog) incoming.dialog ??= this.#dialogAsServer(incoming, response);
    const isSent = transaction.respond(response);
    if (!isSent) return undefined;
    if (status >= 200) this.#answered(incoming, response);
    return response;
  }

  dialogFor(outgoing: OutgoingRequest, response: SipResponse, from: Flow): Dialog | undefined {
    const { sent, within } = outgoing;
    if (within !== undefined) {
      if (response.status >= 200 && response.status < 300) {
        if (outgoing.isSettled && sent.method === 'INVITE' && within.repeatAck(response)) return within;
        if (isTargetRefresh(sent.method)) within.refresh(response, from);
        if (sent.method === 'INVITE') within.awaitsAck = true;
      }
      return within;
    }
    if (!makesDialog(sent.method, response)) return undefined;
    const key = dialogKey(callIdOf(sent), fromTagOf(sent), toTagOf(response));
    const winner = this.#winners.get(outgoing);
    if (winner !== undefined) return this.#laterAnswer(outgoing, winner, key, response, from);
    const dialog = this.#dialogs.get(key) ?? this.#dialogAsClient(sent, response, from);
    this.#earlyOf.set(outgoing, (this.#earlyOf.get(outgoing) ?? new Set()).add(dialog));
    if (response.status < 200) return dialog;
    dialog.refresh(response, from);
    dialog.state = 'confirmed';
    dialog.awaitsAck = sent.method === 'INVITE';
    this.#winners.set(outgoing, dialog);
    return dialog;
  }

  settled(outgoing: OutgoingRequest, response: SipResponse): void {
    const { within, sent } = outgoing;
    const winner = this.#winners.get(outgoing);
    for (const early of this.#earlyOf.get(outgoing) ?? []) {
      if (early !== winner) this.#forget(early);
    }
    if (within === undefined) return;
    if (within.openInvite === outgoing) within.openInvite = undefined;
    // A challenged BYE comes again with credentials: the dialog has to live that long.
    const isChallenge = response.status === 401 || response.status === 407;
    if (sent.method === 'BYE' && !isChallenge) this.#end(within, { why: 'byeSent', bye: sent });
    if (sent.method === 'NOTIFY' && isSubscriptionEnd(within, sent)) this.#end(within, { why: 'subscriptionEnded' });
  }

  // ---- what comes in

  #received(result: ParseResult, flow: Flow): void {
    if (this.#isClosed) return;
    this.counters.received++;
    if (result.kind === 'drop') {
      this.counters.dropped++;
      return;
    }
    if (result.kind === 'refuse') {
      this.counters.refused++;
      // Stateless: somebody who cannot write SIP gets no memory of ours. An ACK is never answered.
      if (result.request.method === 'ACK') return;
      const refusal = responseTo(result.request, result.status, { toTag: this.#random.token(), reason: undefined });
      this.#replyFlow(result.request, flow).send(serialise(refusal));
      return;
    }
    if (result.message.kind === 'request') this.#layer.receiveRequest(result.message, flow);
    else this.#layer.receiveResponse(result.message, flow);
  }

  #requested(server: ServerTransaction, isMerged: boolean): void {
    const { request } = server;
    const toTag = toTagOf(request);
    const dialog =
      toTag === '' ? undefined : this.#dialogs.get(dialogKey(callIdOf(request), toTag, fromTagOf(request)));
    const incoming = new IncomingRequest(server, dialog, this);
    if (isMerged) return void incoming.respond(482);
    const unsupported = request.headers.list('Require').filter((tag) => !this.#supported.has(tag.toLowerCase()));
    if (unsupported.length > 0) {
      return void incoming.respond(420, { headers: new Headers().add('Unsupported', unsupported.join(', ')) });
    }
    if (dialog !== undefined) return this.#inDialog(incoming, dialog);
    // RFC 3261 12.2.2; PRACK, BYE and UPDATE make no sense without a dialog either.
    if (toTag !== '' || needsDialog.has(request.method)) return void incoming.respond(481);
    if (request.method === 'INVITE') this.#pendingInvites.set(server, incoming);
    this.#options.handlers.onRequest(incoming);
  }

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
    this.#options.handlers.onRequest(incoming);
    if (request.method === 'NOTIFY' && isSubscriptionEnd(dialog, request)) {
      this.#end(dialog, { why: 'subscriptionEnded' });
    }
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
    this.#options.handlers.onRequest(incoming);
    this.#end(dialog, { why: 'byeReceived', bye: incoming.request });
  }

  #cancelled(cancel: ServerTransaction, invite: ServerInvite | undefined): void {
    const pending = invite === undefined ? undefined : this.#pendingInvites.get(invite);
    const answer = new IncomingRequest(cancel, undefined, this);
    if (invite === undefined) return void answer.respond(481);
    // RFC 3261 9.2: the CANCEL is answered 200 in any case, with the tag of the INVITE's own answer.
    answer.respond(200, pending?.localTag === undefined ? {} : { toTag: pending.localTag });
    if (pending !== undefined) this.#terminateInvite(pending, cancel.request);
  }

  #terminateInvite(invite: IncomingRequest, by: SipRequest): void {
    if (invite.respond(487) !== undefined) this.#options.handlers.onCancelled(invite, by);
  }

  #acknowledged(ack: SipRequest, from: Flow): void {
    const dialog = this.#dialogs.get(dialogKey(callIdOf(ack), toTagOf(ack), fromTagOf(ack)));
    if (dialog?.acknowledged(ack) === true) this.#options.handlers.onAck(dialog, ack, from);
  }

  // ---- answering

  #answered(incoming: IncomingRequest, response: SipResponse): void {
    const { request, dialog } = incoming;
    this.#pendingInvites.delete(incoming.transaction);
    if (dialog === undefined) return;
    if (dialog.pendingInvite === incoming) dialog.pendingInvite = undefined;
    if (response.status >= 300) {
      if (dialog.state === 'early') this.#forget(dialog);
      return;
    }
    if (dialog.state === 'early') dialog.state = 'confirmed';
    if (request.method !== 'INVITE') return;
    dialog.repeatUntilAck(response, incoming.transaction.flow, () => this.#ackTimeout(dialog));
  }

  #ackTimeout(dialog: Dialog): void {
    const headers = new Headers().add('Reason', 'SIP ;cause=200 ;text="ACK timeout"');
    const { sent } = dialog.bye({ headers });
    this.#end(dialog, { why: 'ackTimeout', bye: sent });
  }

  #responseHeaders(
    incoming: IncomingRequest,
    status: number,
    createsDialog: boolean,
    given: Headers | undefined,
  ): Headers {
    const headers = new Headers();
    const { request } = incoming;
    const isUseful = status > 100 && status < 300;
    if (isUseful && createsDialog) headers.copy('Record-Route', request.headers);
    const hasContact = given?.has('Contact') === true;
    if (isUseful && !hasContact && answersWithContact.has(request.method)) {
      headers.add('Contact', this.contactFor(incoming.transaction.flow));
    }
    given?.forEach((name, value, key) => {
      if (!responseOwned.has(key)) headers.add(name, value);
    });
    return headers;
  }

  #dialogAsServer(incoming: IncomingRequest, response: SipResponse): Dialog {
    const { request } = incoming;
    return this.#register(
      new Dialog(
        {
          role: 'uas',
          createdBy: request.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
          callId: callIdOf(request),
          localTag: toTagOf(response),
          remoteTag: fromTagOf(request),
          local: response.headers.get('To') as string,
          remote: request.headers.get('From') as string,
          routeSet: request.headers.list('Record-Route'),
          remoteTarget: contactUri(request),
          localCseq: 0,
          remoteCseq: cseqOf(request).number,
          flow: incoming.source,
        },
        this,
      ),
    );
  }

  // ---- asking

  #dialogAsClient(sent: SipRequest, response: SipResponse, from: Flow): Dialog {
    return this.#register(
      new Dialog(
        {
          role: 'uac',
          createdBy: sent.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
          callId: callIdOf(sent),
          localTag: fromTagOf(sent),
          remoteTag: toTagOf(response),
          local: sent.headers.get('From') as string,
          remote: response.headers.get('To') as string,
          routeSet: response.headers.list('Record-Route').reverse(),
          remoteTarget: contactUri(response),
          localCseq: cseqOf(sent).number,
          remoteCseq: undefined,
          flow: from,
        },
        this,
      ),
    );
  }

  /** A 2xx after the first: the same one again, or that of another branch, which is acknowledged and ended. */
  #laterAnswer(outgoing: OutgoingRequest, winner: Dialog, key: string, response: SipResponse, from: Flow): Dialog {
    if (winner.key === key) {
      winner.repeatAck(response);
      return winner;
    }
    // Its own 2xx again finds the dialog, or its end, below.
    const other = this.#dialogs.get(key);
    if (other !== undefined) {
      other.repeatAck(response);
      return winner;
    }
    const loser = this.#dialogAsClient(outgoing.sent, response, from);
    loser.ack();
    loser.bye();
    return winner;
  }

  #start(draft: NewRequest, flow: Flow, handlers: OutgoingHandlers): RequestResult {
    const outgoing = this.#outgoing(this.#withVia(this.#fill(draft, flow), flow), undefined, handlers);
    outgoing.start(flow);
    return { kind: 'sent', outgoing };
  }

  #startAfterLookup(
    draft: NewRequest,
    hop: { protocol: Protocol } & HostPort,
    handlers: OutgoingHandlers,
  ): RequestResult {
    // The answer of the resolver comes later than the request has to be written: towards a name we show the address
    // that faces the world.
    const shown = this.#anyVantage(hop.protocol);
    const outgoing = this.#outgoing(this.#withVia(this.#fill(draft, shown), shown), undefined, handlers);
    this.#startLater(outgoing, undefined, hop);
    return { kind: 'sent', outgoing };
  }

  #outgoing(sent: SipRequest, within: Dialog | undefined, handlers: OutgoingHandlers): OutgoingRequest {
    return new OutgoingRequest({
      sent,
      within,
      layer: this.#layer,
      clock: this.#clock,
      forgetAfterMs: transactionTimeoutMs(this.#timers),
      handlers,
      maker: this,
    });
  }

  /** Starts in a later turn, so that the caller has the request in hand before its first response. */
  #startLater(
    outgoing: OutgoingRequest,
    flow: Flow | undefined,
    name: (HostPort & { protocol: Protocol }) | undefined,
  ): void {
    if (flow !== undefined) return outgoing.start(flow);
    if (name === undefined) {
      this.#clock.after(0, () => outgoing.fail(503, 'no way to the next hop'));
      return;
    }
    this.#lookup(name).then(
      (found) => (found === undefined ? outgoing.fail(503, 'no transport for this address') : outgoing.start(found)),
      () => outgoing.fail(503, 'name not found'),
    );
  }

  async #lookup(name: HostPort & { protocol: Protocol }): Promise<Flow | undefined> {
    const address = await this.#network.resolve(name.host);
    return this.#transport.flowTo(name.protocol, { host: address, port: name.port });
  }

  #hopOfDialog(dialog: Dialog): { flow: Flow | undefined; name: (HostPort & { protocol: Protocol }) | undefined } {
    const { uri, flow, address } = dialog.nextHop();
    if (flow !== undefined) return { flow, name: undefined };
    const { protocol } = dialog.flow;
    if (address !== undefined) return { flow: this.#transport.flowTo(protocol, address), name: undefined };
    const found = hopOf(uri, this.#transport.protocols);
    if (found.kind === 'refused') return { flow: undefined, name: undefined };
    if (!found.hop.isLiteral) return { flow: undefined, name: found.hop };
    return { flow: this.#transport.flowTo(found.hop.protocol, found.hop), name: undefined };
  }

  #fill(draft: NewRequest, flow: Vantage): DraftRequest {
    const given = draft.headers ?? new Headers();
    const headers = new Headers();
    headers.copy('Route', given);
    headers.add('Max-Forwards', given.get('Max-Forwards') ?? '70');
    const from = given.get('From') ?? this.contactFor(flow);
    headers.add('From', from);
    if (tagOf(from) === '') headers.set('From', `${from};tag=${this.#random.token()}`);
    headers.add('To', given.get('To') ?? `<${draft.uri}>`);
    headers.add('Call-ID', given.get('Call-ID') ?? this.#random.uuid());
    const cseq = parseCSeq(given.get('CSeq') ?? '')?.number ?? 1 + this.#random.below(10_000);
    headers.add('CSeq', `${cseq} ${draft.method}`);
    if (given.has('Contact')) headers.copy('Contact', given);
    else if (dialogCreators.has(draft.method)) headers.add('Contact', this.contactFor(flow));
    given.forEach((name, value, key) => {
      if (!requestOwned.has(key)) headers.add(name, value);
    });
    return { method: draft.method, uri: draft.uri, headers, body: draft.body ?? noBody };
  }

  #withVia(draft: DraftRequest, flow: Vantage): SipRequest {
    const { host, port } = this.sentBy(flow);
    const branch = `${magicCookie}${this.#random.token()}`;
    const via = `SIP/2.0/${flow.protocol.toUpperCase()} ${hostPortText(host, port)};rport;branch=${branch}`;
    draft.headers.prepend('Via', via);
    return { kind: 'request', ...draft };
  }

  /** RFC 3261 18.2.2 and RFC 3581 4. */
  #replyFlow(request: SipRequest, source: Flow): Flow {
    const via = topViaOf(request);
    if (isReliable(source.protocol) || via === undefined || via.params.has('rport')) return source;
    const port = via.port ?? 5060;
    if (port === source.remote.port) return source;
    return this.#transport.flowTo('udp', { host: source.remote.host, port }) ?? source;
  }

  /** How the world sees us, for a peer whose address is not known yet. */
  #anyVantage(protocol: Protocol): Vantage {
    for (const host of ['192.0.2.1', '2001:db8::1', '127.0.0.1', '::1']) {
      const vantage = this.#transport.vantageTo(protocol, { host, port: 5060 });
      if (vantage !== undefined) return vantage;
    }
    throw new Error(`no ${protocol} socket, although the caller made sure of one`);
  }

  #register(dialog: Dialog): Dialog {
    this.#dialogs.set(dialog.key, dialog);
    return dialog;
  }

  #forget(dialog: Dialog): void {
    dialog.stop();
    this.#dialogs.delete(dialog.key);
  }

  #end(dialog: Dialog, ending: DialogEnding): void {
    if (dialog.state === 'ended') return;
    this.#forget(dialog);
    this.#options.handlers.onDialogEnded(dialog, ending);
  }
}

const dialogCreators: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE']);
const needsDialog: ReadonlySet<string> = new Set(['BYE', 'UPDATE', 'PRACK']);
const answersWithContact: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE']);

const requestOwned: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'max-forwards',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'content-length',
]);

const responseOwned: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'from',
  'to',
  'call-id',
  'cseq',
  'content-length',
  'rseq',
]);

function isSubscriptionEnd(dialog: Dialog, notify: SipRequest): boolean {
  const state = notify.headers.get('Subscription-State') ?? '';
  return dialog.createdBy === 'SUBSCRIBE' && state.trim().toLowerCase().startsWith('terminated');
}

/** Our own mistake in a timer must not end everybody's calls: it is logged, and that one timer has run. */
function guarded(clock: Clock, logger: Logger): Clock {
  return {
    now: () => clock.now(),
    after: (afterMs, action) =>
      clock.after(afterMs, () => {
        try {
          action();
        } catch (error) {
          logger.error({ error: (error as Error).stack }, 'timer failed');
        }
      }),
  };
}
