import type { Timer } from '../clock.ts';
import { Headers } from '../message/headers.ts';
import { isSdp } from '../message/is-sdp.ts';
import { bytesOf, keepBytes, type KeptBytes } from '../message/kept-bytes.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import { cseqOf, noBody, parseCSeq, serialise, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { hostPortText, parseUri } from '../message/uri.ts';
import { type Flow, type HostPort, transportParam, type Vantage } from '../transport/flow.ts';
import { contactUri } from './contact-uri.ts';
import type { DialogParts } from './dialog-parts.ts';
import type { DialogSnapshot } from './dialog-snapshot.ts';
import { SessionTimer, supportsTimer } from './session-timer.ts';
import type { InDialogHandlers, RequestInFlight, RequestWaiting } from './in-flight.ts';
import { requestOwned } from './owned-headers.ts';

export type DialogState = 'early' | 'confirmed' | 'ended';

export interface InDialogOptions {
  readonly headers?: Headers;
  readonly body?: Buffer;
}

/** What a dialog needs of its endpoint. */
export interface DialogHost {
  after(afterMs: number, action: () => void): Timer;
  /** Ends the dialog with BYE. */
  sessionExpired(dialog: Dialog): void;
  sendInDialog(dialog: Dialog, request: DraftRequest, handlers: InDialogHandlers): RequestInFlight;
  /**
   * BYE of somebody who has answered an INVITE of ours, and whose answer has not come. False: there is no such INVITE.
   */
  hungUpEarly(bye: SipRequest): boolean;
  /** Sends an ACK, which has no transaction. Returns it with its Via; `onSent` runs when it is on its way. */
  sendAck(dialog: Dialog, draft: DraftRequest, onSent: (bytes: Buffer, flow: Flow) => void): SipRequest;
  readonly t1: number;
  readonly t2: number;
  contactFor(flow: Vantage): string;
}

/** A request without its Via: the next hop decides that. */
export interface DraftRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** One dialog of RFC 3261 12, from our side. */
export class Dialog {
  readonly role: 'uac' | 'uas';
  readonly createdBy: 'INVITE' | 'SUBSCRIBE';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** The From tag of the request that created it. */
  readonly initiatorTag: string;
  state: DialogState = 'early';
  /** Our INVITE in this dialog without a final response. */
  openInvite: RequestInFlight | undefined;
  /** The peer's INVITE in this dialog that we have not answered. */
  pendingInvite: RequestWaiting | undefined;
  /** The peer's UPDATE that we have not answered. */
  pendingUpdate: RequestWaiting | undefined;
  /** Our UPDATE without a final response. */
  openUpdate: RequestInFlight | undefined;
  /** Our provisional responses that the peer acknowledges. */
  provisionals: { acknowledge(prack: SipRequest): boolean; release(): void } | undefined;
  /** The RSeq of the peer's provisional response that has no PRACK yet. */
  unacknowledgedRseq: number | undefined;
  /** A 2xx to our INVITE has come and `ack` has not been called since. */
  awaitsAck = false;
  /** Whether the peer has said that it takes UPDATE. */
  peerAllowsUpdate = false;
  readonly session: SessionTimer;
  readonly #host: DialogHost;
  readonly #local: string;
  readonly #remote: string;
  readonly #routeSet: readonly string[];
  #target: string;
  #flow: Flow;
  #localCseq: number;
  #remoteCseq: number | undefined;
  /** 2xx we repeat until its ACK comes, by CSeq number. */
  readonly #unacknowledged = new Map<number, Timer>();
  #lastAck: { readonly cseq: number; readonly bytes: KeptBytes; readonly flow: Flow } | undefined;
  #localSdp: KeptBytes | undefined;
  #openInviteCseq = 0;

  constructor(parts: DialogParts, host: DialogHost) {
    this.#host = host;
    this.session = new SessionTimer(this, {
      after: (afterMs, action) => host.after(afterMs, action),
      onExpired: () => host.sessionExpired(this),
    });
    this.role = parts.role;
    this.createdBy = parts.createdBy;
    this.callId = parts.callId;
    this.localTag = parts.localTag;
    this.remoteTag = parts.remoteTag;
    this.initiatorTag = parts.role === 'uac' ? parts.localTag : parts.remoteTag;
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#routeSet = parts.routeSet;
    this.#flow = parts.flow;
    this.#target = parts.remoteTarget ?? fallbackTarget(parts.flow);
    this.#localCseq = parts.localCseq;
    this.#openInviteCseq = parts.localCseq;
    this.#remoteCseq = parts.remoteCseq;
  }

  /** Unique in this endpoint. */
  get key(): string {
    return dialogKey(this.callId, this.localTag, this.remoteTag);
  }

  /** Where our requests are addressed to. */
  get remoteTarget(): string {
    return this.#target;
  }

  get flow(): Flow {
    return this.#flow;
  }

  /** The last SDP that we sent. */
  get localSdp(): Buffer | undefined {
    return this.#localSdp === undefined ? undefined : bytesOf(this.#localSdp);
  }

  set localSdp(sdp: Buffer | undefined) {
    this.#localSdp = sdp === undefined ? undefined : keepBytes(sdp);
  }

  /** Whether an INVITE or UPDATE of either side is unanswered. */
  get isBusy(): boolean {
    const { openInvite, openUpdate, pendingInvite, pendingUpdate } = this;
    return [openInvite, openUpdate, pendingInvite, pendingUpdate].some((open) => open !== undefined);
  }

  /** Whether the peer has not answered an offer of ours. */
  get hasOpenOffer(): boolean {
    return [this.openInvite, this.openUpdate].some((open) => open !== undefined && open.sent.body.length > 0);
  }

  /** Sends a request in this dialog. A CSeq in `options.headers` is used if it is higher than the last one. */
  request(method: string, options: InDialogOptions, handlers: InDialogHandlers): RequestInFlight {
    const draft = this.#draft(method, this.#nextCseq(options.headers), options);
    const outgoing = this.#host.sendInDialog(this, draft, handlers);
    if (method === 'INVITE') {
      this.openInvite = outgoing;
      this.#openInviteCseq = cseqOf(outgoing.sent).number;
    }
    if (method === 'UPDATE') this.openUpdate = outgoing;
    return outgoing;
  }

  snapshot(): DialogSnapshot {
    const { role, createdBy, callId, localTag, remoteTag, peerAllowsUpdate } = this;
    return {
      role,
      createdBy,
      callId,
      localTag,
      remoteTag,
      peerAllowsUpdate,
      local: this.#local,
      remote: this.#remote,
      routeSet: this.#routeSet,
      remoteTarget: this.#target,
      localCseq: this.#localCseq,
      remoteCseq: this.#remoteCseq,
      protocol: this.#flow.protocol,
      remoteAddress: this.#flow.remote,
      localSdp: this.#localSdp,
      session: this.session.terms,
    };
  }

  /** Ends the dialog with BYE. */
  bye(options: InDialogOptions = {}, handlers: InDialogHandlers = { onResponse() {} }): RequestInFlight {
    return this.request('BYE', options, handlers);
  }

  /** Acknowledges the last 2xx to our INVITE, and keeps the ACK for the case that the 2xx comes again. */
  ack(options: InDialogOptions = {}): SipRequest {
    this.awaitsAck = false;
    const cseq = this.#openInviteCseq;
    return this.#host.sendAck(this, this.#draft('ACK', cseq, options), (bytes, flow) => {
      // Later, where the next hop had to be looked up: there may have been another INVITE meanwhile.
      if (cseq === this.#openInviteCseq) this.#lastAck = { cseq, bytes: keepBytes(bytes), flow };
    });
  }

  /** A 2xx came again. True if its ACK was at hand and has been repeated. */
  repeatAck(response: SipResponse): boolean {
    if (this.#lastAck === undefined || this.#lastAck.cseq !== cseqOf(response).number) return false;
    this.#lastAck.flow.send(bytesOf(this.#lastAck.bytes));
    return true;
  }

  /** Whether a request is new in sequence, RFC 3261 12.2.2; remembers its number if so. */
  accepts(request: SipRequest): boolean {
    const { number } = cseqOf(request);
    if (this.#remoteCseq !== undefined && number <= this.#remoteCseq) return false;
    this.#remoteCseq = number;
    return true;
  }

  /** A target refresh came from the peer, in a request or in a 2xx. */
  refresh(message: SipRequest | SipResponse, from: Flow): void {
    const contact = contactUri(message);
    if (contact !== undefined) this.#target = contact;
    this.#flow = from;
    if (message.headers.has('Allow')) this.peerAllowsUpdate = message.headers.list('Allow').includes('UPDATE');
  }

  /** Repeats our 2xx until its ACK comes (RFC 3261 13.3.1.4), on every transport. `onGivenUp` after 64 T1. */
  repeatUntilAck(response: SipResponse, flow: Flow, onGivenUp: () => void): void {
    const bytes = serialise(response);
    const cseq = cseqOf(response).number;
    const { t1, t2 } = this.#host;
    const stopAfterMs = 64 * t1;
    const repeat = (waitMs: number, passedMs: number): void => {
      const nextMs = Math.min(waitMs, stopAfterMs - passedMs);
      const timer = this.#host.after(nextMs, () => {
        if (passedMs + nextMs >= stopAfterMs) {
          this.#unacknowledged.delete(cseq);
          return onGivenUp();
        }
        flow.send(bytes);
        repeat(Math.min(waitMs * 2, t2), passedMs + nextMs);
      });
      this.#unacknowledged.set(cseq, timer);
    };
    repeat(t1, 0);
  }

  /** An ACK came. True if it is the first for that 2xx. */
  acknowledged(ack: SipRequest): boolean {
    const { number } = cseqOf(ack);
    const timer = this.#unacknowledged.get(number);
    timer?.stop();
    return this.#unacknowledged.delete(number);
  }

  /** Stops everything this dialog does by itself. */
  stop(): void {
    this.state = 'ended';
    this.session.stop();
    for (const timer of this.#unacknowledged.values()) timer.stop();
    this.#unacknowledged.clear();
  }

  /** The URI whose host our requests go to, and what overrides it. */
  nextHop(): { readonly uri: string; readonly flow: Flow | undefined; readonly address: HostPort | undefined } {
    const first = this.#routeSet[0];
    if (first !== undefined) return { uri: uriOf(first), flow: undefined, address: undefined };
    if (this.#flow.protocol !== 'udp' && this.#flow.isOpen) {
      return { uri: this.#target, flow: this.#flow, address: undefined };
    }
    // Behind NAT the Contact names an address we cannot reach; the source address of its message is one we can.
    const host = parseUri(this.#target)?.host;
    const isReachable = host === this.#flow.remote.host;
    return { uri: this.#target, flow: undefined, address: isReachable ? undefined : this.#flow.remote };
  }

  #draft(method: string, cseq: number, options: InDialogOptions): DraftRequest {
    const headers = new Headers();
    const first = this.#routeSet[0];
    const isLoose = first === undefined || parseUri(uriOf(first))?.params.has('lr') === true;
    // RFC 3261 12.2.1.1: a strict router takes the Request-URI, and the target goes last.
    const routes = isLoose ? this.#routeSet : [...this.#routeSet.slice(1), `<${this.#target}>`];
    for (const route of routes) headers.add('Route', route);
    headers.add('Max-Forwards', '70');
    headers.add('From', this.#local);
    headers.add('To', this.#remote);
    headers.add('Call-ID', this.callId);
    headers.add('CSeq', `${cseq} ${method}`);
    const contact = options.headers?.get('Contact');
    if (contact !== undefined) headers.add('Contact', contact);
    else if (needsContact.has(method)) headers.add('Contact', this.#host.contactFor(this.#flow));
    options.headers?.forEach((name, value, key) => {
      if (!requestOwned.has(key)) headers.add(name, value);
    });
    supportsTimer(headers);
    if (isSdp(headers, options.body)) this.localSdp = options.body;
    return { method, uri: isLoose ? this.#target : uriOf(first), headers, body: options.body ?? noBody };
  }

  #nextCseq(headers: Headers | undefined): number {
    const wanted = parseCSeq(headers?.get('CSeq') ?? '')?.number;
    this.#localCseq = wanted !== undefined && wanted > this.#localCseq ? wanted : this.#localCseq + 1;
    return this.#localCseq;
  }
}

const needsContact: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE', 'NOTIFY']);

/** Whether such a request of either side, outside any dialog, can create one. */
export function createsDialog(method: string): boolean {
  return method === 'INVITE' || method === 'SUBSCRIBE';
}

export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`;
}

function uriOf(route: string): string {
  return parseNameAddr(route)?.uri ?? route;
}

// A peer that sent no Contact (RFC 3261 8.1.1.8 forbids it) is spoken to where it spoke from.
function fallbackTarget(flow: Flow): string {
  return `sip:${hostPortText(flow.remote.host, flow.remote.port)}${transportParam(flow.protocol)}`;
}
