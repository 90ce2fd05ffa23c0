import type { Clock, Timer } from '../clock.ts';
import { Headers } from '../message/headers.ts';
import { isSdp } from '../message/is-sdp.ts';
import { tagOf } from '../message/name-addr.ts';
import {
  callIdOf,
  fromTagOf,
  isTargetRefresh,
  noBody,
  parseCSeq,
  type SipRequest,
  type SipResponse,
  toTagOf,
} from '../message/sip-message.ts';
import type { Random } from '../random.ts';
import { type SipTimers, transactionTimeoutMs } from '../transaction/timers.ts';
import type { Flow, Vantage } from '../transport/flow.ts';
import { Branches } from './branches.ts';
import { createsDialog, Dialog, type DialogHost, dialogKey, type DraftRequest } from './dialog.ts';
import { uacParts } from './dialog-parts.ts';
import type { DialogSnapshot } from './dialog-snapshot.ts';
import type { DialogTable } from './dialog-table.ts';
import type { InDialogHandlers } from './in-flight.ts';
import {
  type DialogMaker,
  makesDialog,
  type OutgoingHandlers,
  type OutgoingRequest,
  rseqOf,
} from './outgoing-request.ts';
import { requestOwned } from './owned-headers.ts';
import { supportsTimer, termsOfResponse } from './session-timer.ts';
import { isSubscriptionEnd } from './subscription-end.ts';
import type { RequestSender } from './request-sender.ts';
import type { Ways } from './ways.ts';

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

const cseqGap = 1_000;
const restoredSessionSeconds = 1_800;

/** The asking side, RFC 3261 8.1: sends our requests, and makes dialogs of the answers. */
export class UserAgentClient implements DialogMaker, DialogHost {
  readonly t1: number;
  readonly t2: number;
  readonly #hasSessionTimers: boolean;
  readonly #clock: Clock;
  readonly #timers: SipTimers;
  readonly #random: Random;
  readonly #sender: RequestSender;
  readonly #ways: Ways;
  readonly #dialogs: DialogTable;
  readonly #branches = new WeakMap<OutgoingRequest, Branches>();
  /** INVITEs of ours outside dialogs that have no final response, by Call-ID and From tag. */
  readonly #open = new Map<string, OutgoingRequest>();

  constructor(parts: {
    readonly clock: Clock;
    readonly timers: SipTimers;
    readonly random: Random;
    readonly sender: RequestSender;
    readonly ways: Ways;
    readonly dialogs: DialogTable;
    readonly hasSessionTimers: boolean;
  }) {
    this.#hasSessionTimers = parts.hasSessionTimers;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#random = parts.random;
    this.#sender = parts.sender;
    this.#ways = parts.ways;
    this.#dialogs = parts.dialogs;
    this.t1 = parts.timers.t1;
    this.t2 = parts.timers.t2;
  }

  /** Sends a request outside any dialog. Refused only for what can be known at once; the rest comes as a response. */
  request(draft: NewRequest, handlers: OutgoingHandlers): RequestResult {
    const way = this.#sender.wayTo(draft.nextHop ?? draft.uri, draft.flow);
    if (way.kind === 'refused') return way;
    const shown = this.#sender.shownOn(way, undefined);
    const sent = this.#sender.withVia(this.#fill(draft, shown), shown);
    const outgoing = this.#sender.start(sent, way, { within: undefined, handlers, maker: this });
    if (draft.method === 'INVITE') this.#open.set(openKey(sent, fromTagOf(sent)), outgoing);
    return { kind: 'sent', outgoing };
  }

  restore(snapshot: DialogSnapshot): Dialog | undefined {
    const flow = this.#ways.flowAgain(snapshot.protocol, snapshot.remoteAddress);
    if (flow === undefined) return undefined;
    // What the last snapshot missed may have used some numbers; a gap is allowed (RFC 3261 12.2.1.1).
    const dialog = new Dialog({ ...snapshot, flow, localCseq: snapshot.localCseq + cseqGap }, this);
    dialog.state = 'confirmed';
    dialog.localSdp = snapshot.localSdp === undefined ? undefined : Buffer.from(snapshot.localSdp, 'latin1');
    dialog.peerAllowsUpdate = snapshot.peerAllowsUpdate;
    // Nobody knows what the peer did meanwhile: without a limit of its own the call is refreshed now and then.
    const { seconds, isOurs } = snapshot.session ?? { seconds: restoredSessionSeconds, isOurs: true };
    if (snapshot.createdBy === 'INVITE' && this.#hasSessionTimers) dialog.session.restart(seconds, isOurs);
    return dialog;
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
    const sent = this.#sender.withVia(draft, this.#sender.shownOn(way, dialog.flow));
    return this.#sender.start(sent, way, { within: dialog, handlers, maker: this });
  }

  /** RFC 3261 15 lets it hang up when its answer was not acknowledged in 64 T1; some do sooner. */
  hungUpEarly(bye: SipRequest): boolean {
    const outgoing = this.#open.get(openKey(bye, toTagOf(bye)));
    if (outgoing === undefined) return false;
    const early = this.#dialogs.ofRequest(bye);
    if (early !== undefined) this.#dialogs.forget(early);
    // Others may still ring.
    if (!this.#branchesOf(outgoing).isSomebodyRinging) outgoing.hungUp();
    return true;
  }

  sendAck(dialog: Dialog, draft: DraftRequest, onSent: (bytes: Buffer, flow: Flow) => void): SipRequest {
    const way = this.#ways.within(dialog);
    const sent = this.#sender.withVia(draft, this.#sender.shownOn(way, dialog.flow));
    this.#sender.sendOnce(sent, way, onSent);
    return sent;
  }

  sessionExpired(dialog: Dialog): void {
    const headers = new Headers().add('Reason', 'SIP ;cause=200 ;text="Session timer expired"');
    const { sent } = dialog.bye({ headers });
    this.#dialogs.end(dialog, { why: 'sessionExpired', bye: sent });
  }

  // ---- what comes back

  isNews(outgoing: OutgoingRequest, response: SipResponse): boolean {
    return rseqOf(response) === undefined || this.#branchesOf(outgoing).isNews(response);
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
    const branches = this.#branchesOf(outgoing);
    if (branches.winner !== undefined || outgoing.isGivenUp) {
      this.#laterAnswer(outgoing, branches, key, response, from);
      return branches.winner;
    }
    const known = this.#dialogs.find(key);
    if (known === undefined && response.status < 200 && branches.isFull) return undefined;
    const dialog = known ?? branches.add(this.#newDialog(sent, response, from));
    if (response.status < 200) {
      dialog.unacknowledgedRseq = rseqOf(response);
      return dialog;
    }
    dialog.refresh(response, from);
    dialog.state = 'confirmed';
    dialog.awaitsAck = sent.method === 'INVITE';
    branches.winner = dialog;
    return dialog;
  }

  settled(outgoing: OutgoingRequest, response: SipResponse): void {
    const { within, sent } = outgoing;
    const key = openKey(sent, fromTagOf(sent));
    if (this.#open.get(key) === outgoing) this.#open.delete(key);
    const branches = this.#branches.get(outgoing);
    for (const early of branches?.losers() ?? []) this.#dialogs.forget(early);
    const dialog = within ?? branches?.winner;
    const isRefresh = sent.method === 'INVITE' || sent.method === 'UPDATE';
    if (dialog !== undefined && isRefresh && response.status >= 200 && response.status < 300) {
      this.#restartSession(dialog, sent, response);
    }
    if (within === undefined) return;
    if (within.openInvite === outgoing) within.openInvite = undefined;
    if (within.openUpdate === outgoing) within.openUpdate = undefined;
    if (sent.method === 'BYE') this.#byeAnswered(within, outgoing, response);
    if (isSubscriptionEnd(within, sent)) this.#dialogs.end(within, { why: 'subscriptionEnded' });
  }

  #restartSession(dialog: Dialog, sent: SipRequest, response: SipResponse): void {
    const terms = this.#hasSessionTimers ? termsOfResponse(sent, response) : undefined;
    if (terms === undefined) dialog.session.stop();
    else dialog.session.restart(terms.seconds, terms.refresher === 'uac');
  }

  #byeAnswered(dialog: Dialog, { sent }: OutgoingRequest, { status }: SipResponse): void {
    const end = (): void => this.#dialogs.end(dialog, { why: 'byeSent', bye: sent });
    if (status !== 401 && status !== 407) return end();
    // A challenged BYE comes again with credentials: the dialog has to live that long, and no longer.
    this.#clock.after(transactionTimeoutMs(this.#timers), end);
  }

  /** A 2xx that is not waited for: the same one again, or that of another branch, which is acknowledged and ended. */
  #laterAnswer(outgoing: OutgoingRequest, branches: Branches, key: string, response: SipResponse, from: Flow): void {
    if (branches.repeatAck(key, response) || branches.winner?.key === key || branches.isFull) return;
    const loser = branches.add(this.#newDialog(outgoing.sent, response, from));
    loser.ack();
    loser.bye();
    // Nobody has heard of it, and nobody hears of its end.
    this.#dialogs.forget(loser);
  }

  #branchesOf(outgoing: OutgoingRequest): Branches {
    const branches = this.#branches.get(outgoing) ?? new Branches();
    this.#branches.set(outgoing, branches);
    return branches;
  }

  #newDialog(sent: SipRequest, response: SipResponse, from: Flow): Dialog {
    const dialog = new Dialog(uacParts(sent, response, from), this);
    if (isSdp(sent.headers, sent.body)) dialog.localSdp = sent.body;
    return this.#dialogs.add(dialog);
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
    supportsTimer(headers);
    return { method: draft.method, uri: draft.uri, headers, body: draft.body ?? noBody };
  }
}

function openKey(request: SipRequest, ourTag: string): string {
  return `${callIdOf(request)} ${ourTag}`;
}
