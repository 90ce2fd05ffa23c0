import type { Clock, Timer } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { Headers } from '../message/headers.ts';
import { tagOf } from '../message/name-addr.ts';
import {
  callIdOf,
  fromTagOf,
  isTargetRefresh,
  noBody,
  parseCSeq,
  serialise,
  type SipRequest,
  type SipResponse,
  toTagOf,
} from '../message/sip-message.ts';
import { hostPortText } from '../message/uri.ts';
import { magicCookie } from '../message/via.ts';
import type { Random } from '../random.ts';
import { type SipTimers, transactionTimeoutMs } from '../transaction/timers.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Flow, Vantage } from '../transport/flow.ts';
import { createsDialog, Dialog, type DialogHost, dialogKey, type DraftRequest } from './dialog.ts';
import { uacParts } from './dialog-parts.ts';
import type { DialogTable } from './dialog-table.ts';
import type { InDialogHandlers } from './in-flight.ts';
import { type DialogMaker, makesDialog, type OutgoingHandlers, OutgoingRequest } from './outgoing-request.ts';
import { requestOwned } from './owned-headers.ts';
import { isSubscriptionEnd } from './subscription-end.ts';
import type { NamedPlace, Way, Ways } from './ways.ts';

export interface NewRequest {
  readonly method: string;
  /** A sip: URI. */
  readonly uri: string;
  /** From, To, Call-ID, CSeq, Contact, Max-Forwards are made up where absent; Via is ours. Route goes along as it is. */
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

/** Whoever rings or answers under ever new tags does not fill our memory: the further ones make no dialog. */
const maxForks = 32;

/** The asking side, RFC 3261 8.1: sends our requests, and makes dialogs of the answers. */
export class UserAgentClient implements DialogMaker, DialogHost {
  readonly t1: number;
  readonly t2: number;
  readonly #clock: Clock;
  readonly #timers: SipTimers;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #layer: TransactionLayer;
  readonly #ways: Ways;
  readonly #dialogs: DialogTable;
  /** The dialog an INVITE of ours ended up with, so that a 2xx of another branch is recognised. */
  readonly #winners = new WeakMap<OutgoingRequest, Dialog>();
  /** Every dialog that an INVITE of ours has made. */
  readonly #forks = new WeakMap<OutgoingRequest, Set<Dialog>>();

  constructor(parts: {
    readonly clock: Clock;
    readonly timers: SipTimers;
    readonly random: Random;
    readonly logger: Logger;
    readonly layer: TransactionLayer;
    readonly ways: Ways;
    readonly dialogs: DialogTable;
  }) {
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#random = parts.random;
    this.#logger = parts.logger;
    this.#layer = parts.layer;
    this.#ways = parts.ways;
    this.#dialogs = parts.dialogs;
    this.t1 = parts.timers.t1;
    this.t2 = parts.timers.t2;
  }

  /** Sends a request outside any dialog. Refused only for what can be known at once; the rest comes as a response. */
  request(draft: NewRequest, handlers: OutgoingHandlers): RequestResult {
    const way: Way =
      draft.flow !== undefined && draft.flow.isOpen
        ? { kind: 'flow', flow: draft.flow }
        : this.#ways.to(draft.nextHop ?? draft.uri);
    if (way.kind === 'refused') return way;
    // The answer of the resolver comes later than the request has to be written: towards a name we show the address
    // that faces the world.
    const shown = way.kind === 'flow' ? way.flow : this.#ways.anyVantage(way.name.shownAs);
    const outgoing = this.#outgoing(this.#withVia(this.#fill(draft, shown), shown), undefined, handlers);
    if (way.kind === 'flow' && this.#ways.isTooLong(outgoing.sent, way.flow)) this.#startByTcp(outgoing, way.flow);
    else this.#start(outgoing, way);
    return { kind: 'sent', outgoing };
  }

  // ---- what dialogs need of us

  after(afterMs: number, action: () => void): Timer {
    return this.#clock.after(afterMs, action);
  }

  contactFor(flow: Vantage): string {
    return this.#ways.contactFor(flow);
  }

  sendInDialog(dialog: Dialog, draft: DraftRequest, handlers: InDialogHandlers): OutgoingRequest {
    const way = this.#ways.within(dialog);
    const outgoing = this.#outgoing(this.#withVia(draft, this.#shownOn(way, dialog)), dialog, handlers);
    this.#start(outgoing, way);
    return outgoing;
  }

  sendAck(dialog: Dialog, draft: DraftRequest, onSent: (bytes: Buffer, flow: Flow) => void): SipRequest {
    const way = this.#ways.within(dialog);
    const sent = this.#withVia(draft, this.#shownOn(way, dialog));
    const send = (flow: Flow): void => {
      const bytes = serialise(sent);
      flow.send(bytes);
      onSent(bytes, flow);
    };
    const notSent = (reason: string): void => this.#logger.warn({ reason }, 'ack not sent');
    if (way.kind === 'flow') send(way.flow);
    else if (way.kind === 'refused') notSent(way.why);
    else {
      void this.#ways.lookup(way.name).then((candidates) => {
        const flow = candidates.next();
        if (flow === undefined) return notSent('no way to this address');
        this.#restamp(sent, flow);
        send(flow);
      });
    }
    return sent;
  }

  // ---- what comes back

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
    const known = this.#dialogs.find(key);
    const forks = this.#forksOf(outgoing);
    if (known === undefined && response.status < 200 && forks.size >= maxForks) return undefined;
    const dialog = known ?? this.#newDialog(sent, response, from);
    forks.add(dialog);
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
    for (const early of this.#forks.get(outgoing) ?? []) {
      if (early !== winner) this.#dialogs.forget(early);
    }
    if (within === undefined) return;
    if (within.openInvite === outgoing) within.openInvite = undefined;
    if (sent.method === 'BYE') this.#byeAnswered(within, outgoing, response);
    if (isSubscriptionEnd(within, sent)) this.#dialogs.end(within, { why: 'subscriptionEnded' });
  }

  #byeAnswered(dialog: Dialog, { sent }: OutgoingRequest, { status }: SipResponse): void {
    const end = (): void => this.#dialogs.end(dialog, { why: 'byeSent', bye: sent });
    if (status !== 401 && status !== 407) return end();
    // A challenged BYE comes again with credentials: the dialog has to live that long, and no longer.
    this.#clock.after(transactionTimeoutMs(this.#timers), end);
  }

  /** A 2xx after the first: the same one again, or that of another branch, which is acknowledged and ended. */
  #laterAnswer(outgoing: OutgoingRequest, winner: Dialog, key: string, response: SipResponse, from: Flow): Dialog {
    if (winner.key === key) {
      winner.repeatAck(response);
      return winner;
    }
    // Its own 2xx again finds the dialog, or its end, below.
    const other = this.#dialogs.find(key);
    if (other !== undefined) {
      other.repeatAck(response);
      return winner;
    }
    const forks = this.#forksOf(outgoing);
    if (forks.size >= maxForks) return winner;
    const loser = this.#newDialog(outgoing.sent, response, from);
    forks.add(loser);
    loser.ack();
    loser.bye();
    return winner;
  }

  #forksOf(outgoing: OutgoingRequest): Set<Dialog> {
    const forks = this.#forks.get(outgoing) ?? new Set();
    this.#forks.set(outgoing, forks);
    return forks;
  }

  #newDialog(sent: SipRequest, response: SipResponse, from: Flow): Dialog {
    return this.#dialogs.add(new Dialog(uacParts(sent, response, from), this));
  }

  // ---- sending

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

  /** What fails does so in a later turn, so that the caller has the request in hand before its first response. */
  #start(outgoing: OutgoingRequest, way: Way): void {
    switch (way.kind) {
      case 'flow':
        return outgoing.start(way.flow);
      case 'name':
        return this.#startAfterLookup(outgoing, way.name);
      case 'refused':
        this.#clock.after(0, () => outgoing.fail(503, 'no way to the next hop'));
    }
  }

  #startAfterLookup(outgoing: OutgoingRequest, name: NamedPlace): void {
    void this.#ways.lookup(name).then((candidates) => {
      outgoing.startAt(candidates, (sent, flow) => this.#restamp(sent, flow));
    });
  }

  #shownOn(way: Way, dialog: Dialog): Vantage {
    return way.kind === 'flow' ? way.flow : this.#ways.anyVantage(dialog.flow.protocol);
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
    else if (createsDialog(draft.method)) headers.add('Contact', this.contactFor(flow));
    given.forEach((name, value, key) => {
      if (!requestOwned.has(key)) headers.add(name, value);
    });
    return { method: draft.method, uri: draft.uri, headers, body: draft.body ?? noBody };
  }

  #withVia(draft: DraftRequest, flow: Vantage): SipRequest {
    draft.headers.prepend('Via', this.#via(flow));
    return { kind: 'request', ...draft };
  }

  /** For another server, or the one that a name turned out to be: another transaction. */
  #restamp(sent: SipRequest, flow: Flow): void {
    sent.headers.replaceFirst('Via', this.#via(flow));
  }

  #via(flow: Vantage): string {
    const { host, port } = this.#ways.sentBy(flow);
    const branch = `${magicCookie}${this.#random.token()}`;
    return `SIP/2.0/${flow.protocol.toUpperCase()} ${hostPortText(host, port)};rport;branch=${branch}`;
  }

  /** Back to UDP if nobody takes the connection. */
  #startByTcp(outgoing: OutgoingRequest, { remote }: Flow): void {
    outgoing.startAt(this.#ways.byTcpFirst(remote), (sent, flow) => this.#restamp(sent, flow));
  }
}
