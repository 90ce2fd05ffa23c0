import { type EndCause, endCauses } from '../core/call/index.ts';
import { askCaller } from './ask-caller.ts';
import type { CallerEvents, CallerSide } from './caller-side.ts';
import {
  answerCaller,
  asError,
  isUnknownRequest,
  type SrfRequest,
  type SrfResponse,
} from './client-libraries/index.ts';
import { wireToEndpoint, wireTogether } from './dialog-wiring.ts';
import type { CallMedia } from './media.ts';
import { callersCipher, type Cipher, isDowngrade, needsSrtp } from './media-cipher.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { EndpointWish } from './media-link.ts';
import { moveFrom } from './move-media.ts';
import { ownText } from './own-text.ts';
import { peerOf } from './peer.ts';
import type { PeerAddress } from './ports.ts';
import { mediaSource, PhoneDialog } from './phone-dialog.ts';
import { sdpFacts } from './sdp.ts';
import { guarded } from './guarded.ts';
import { allow, reasonOf, type Shell, whyOf } from './shell.ts';
import type { SignallingLink } from './signalling-link.ts';

/*
 *  invited ──▶ answering ──▶ talking ──▶ over        over: told exactly once, whoever ended it
 *     └──────────────┴───────────────────▶
 */
type State = 'invited' | 'answering' | 'talking' | 'over';

/** The caller's INVITE and what becomes of it. */
export class CallerLeg implements CallerSide {
  readonly #shell: Shell;
  readonly #link: SignallingLink;
  readonly #media: CallMedia;
  readonly #peer: PeerAddress;
  /** The caller's own description; '' when the offer is left to us. */
  readonly offer: string;
  /** The INVITE, until there is a dialog: it is several KB. */
  #asked: { readonly request: SrfRequest; readonly response: SrfResponse } | null;
  readonly #events: CallerEvents;
  #state: State = 'invited';
  #isRinging = false;
  #isAcknowledged = false;
  #isMoving = false;
  #phone: PhoneDialog | null = null;
  #endpoint: MediaEndpoint | null = null;

  constructor(
    shell: Shell,
    at: { link: SignallingLink; media: CallMedia },
    request: SrfRequest,
    response: SrfResponse,
    events: CallerEvents,
  ) {
    this.#shell = shell;
    this.#link = at.link;
    this.#media = at.media;
    this.#peer = peerOf(request);
    this.offer = ownText(request.body);
    this.#asked = { request, response };
    this.#events = events;
    this.#listen(request, response);
  }

  /**
   * The same INVITE, shown again by a signalling server that we had lost: the old transaction takes no answer any
   * more. false: this caller is not waiting.
   */
  adopt(request: SrfRequest, response: SrfResponse): boolean {
    if (this.#state !== 'invited') return false;
    this.#settled();
    this.#asked = { request, response };
    this.#listen(request, response);
    if (this.#isRinging) this.ring();
    return true;
  }

  get cipher(): Cipher {
    // A carrier's is its own business.
    return this.#shell.trunks.from(this.#peer) === undefined
      ? callersCipher(this.#peer, this.offer, this.#shell.options.sip)
      : 'none';
  }

  get endpoint(): MediaEndpoint | null {
    return this.#endpoint;
  }

  /** Between two media servers: there is no endpoint now, but there will be one. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** Once the 200 is out. */
  get phone(): PhoneDialog | null {
    return this.#phone;
  }

  ring(): void {
    if (this.#state !== 'invited') return;
    this.#isRinging = true;
    this.#asked?.response.send(180, undefined, {});
  }

  refuse(cause: EndCause): void {
    if (this.#phone !== null || this.#state === 'over') return;
    const { sip } = endCauses[cause];
    const status = sip >= 300 ? sip : 480;
    const retry: Record<string, string> = status === 503 ? { 'Retry-After': '5' } : {};
    this.#end();
    this.#settled();
    this.#asked?.response.send(status, undefined, { headers: { Reason: reasonOf(endCauses[cause]), ...retry } });
  }

  /** Anchors the caller on the media server and sends 200; told through the events. */
  answer(): void {
    if (this.#state !== 'invited') return;
    this.#state = 'answering';
    this.#anchor().catch((error: unknown) => this.#answerFailed(asError(error)));
  }

  /** 200 with another phone's description; the two dialogs are one conversation from then on. */
  connectTo(other: PhoneDialog, done: (error: Error | null) => void): void {
    if (this.#state !== 'invited') return done(new Error('the caller is not waiting any more'));
    if (!other.isUp) return done(new Error('the called phone is gone'));
    this.#state = 'answering';
    this.#send200(other.dialog.remote.sdp, (error, phone) => {
      if (phone) wireTogether(this.#shell, phone.dialog, other.dialog);
      else if (this.#state === 'answering') this.#state = 'invited';
      done(error);
    });
  }

  hangUp(cause: EndCause): void {
    if (this.#phone === null) return this.refuse(cause);
    if (this.#state === 'over') return;
    this.#end();
    this.#phone.hangUp(reasonOf(endCauses[cause]));
  }

  close(): void {
    this.hangUp('internalError');
    this.#endpoint?.close();
  }

  #listen(request: SrfRequest, response: SrfResponse): void {
    this.#link.openInvites.began('theirs', request.stackTxnId);
    const ask = (): void => {
      if (this.#state === 'invited')
        askCaller(this.#shell.log, response, this.#isRinging ? 180 : 100, () => this.#gone());
    };
    this.#link.unanswered.set(request, { response, ask });
    const cancelled = guarded(this.#shell.log, 'CANCEL', () => this.#gone());
    request.on('cancel', cancelled);
  }

  async #anchor(): Promise<void> {
    const { offer } = this;
    const endpoint = await this.#media.endpoint({ ...this.#wish(), remoteSdp: offer === '' ? null : offer });
    if (this.#state !== 'answering') return endpoint.close();
    this.#endpoint = endpoint;
    this.#send200(endpoint.sdp, (error, phone) => {
      if (error || !phone) return this.#answerFailed(error ?? new Error('no dialog'));
      wireToEndpoint(this.#shell, phone.dialog, () => this.#endpoint);
      phone.mark(endpoint);
      const acknowledged = guarded(this.#shell.log, 'ACK', (ack: SrfRequest) => {
        if (this.#isAcknowledged) return;
        this.#isAcknowledged = true;
        this.#acknowledged(endpoint, ack.body);
      });
      phone.dialog.on('ack', acknowledged);
    });
  }

  /** In a late offer the caller's description comes with the ACK (RFC 3264 4). */
  #acknowledged(endpoint: MediaEndpoint, answer: string): void {
    const { codec, cipher } = sdpFacts(this.offer === '' ? answer : endpoint.sdp);
    if (isDowngrade(this.cipher, cipher)) return this.#answerFailed(new Error(`the caller answered with ${needsSrtp}`));
    const told = (): void => {
      if (this.#endpoint === null) return this.#answerFailed(new Error('the media server dropped the caller'));
      if (this.#state === 'talking') this.#events.answered({ path: 'anchored', codec, cipher });
    };
    if (this.offer !== '') return told();
    endpoint.modify(answer).then(told, (error: unknown) => this.#answerFailed(asError(error)));
  }

  #settled(): void {
    if (this.#asked === null) return;
    this.#link.unanswered.delete(this.#asked.request);
    this.#link.openInvites.over(this.#asked.request.stackTxnId);
  }

  #send200(localSdp: string, done: (error: Error | null, phone?: PhoneDialog) => void): void {
    const asked = this.#asked;
    if (asked === null) return done(new Error('the caller has been answered'));
    answerCaller(
      this.#link.srf,
      asked.request,
      asked.response,
      { localSdp, headers: { Allow: allow } },
      (error, dialog) => {
        this.#settled();
        // drachtio-server 0.9.10 shows a CANCEL to nobody after a connection that was lost.
        if (isUnknownRequest(error)) this.#gone();
        if (!dialog) return done(error);
        if (this.#state === 'over') {
          // Ended while the 200 was on its way out.
          dialog.destroy({}, () => {});
          return done(new Error('the caller is gone'));
        }
        this.#state = 'talking';
        this.#asked = null;
        this.#phone = new PhoneDialog(this.#shell, this.#link, dialog, {
          hungUp: () => this.#gone(),
          forgotten: () => this.#forgotten(),
        });
        done(null, this.#phone);
      },
    );
  }

  /** A conversation on our media goes on: the caller is still heard. Without media of ours, or an ACK, it cannot. */
  #forgotten(): void {
    if (this.#state !== 'talking') return;
    if (this.#endpoint === null && !this.#isMoving) return this.#events.signallingLost();
    if (!this.#isAcknowledged) this.#answerFailed(new Error('the signalling server was started anew'));
  }

  async #silent(): Promise<void> {
    if (this.#phone === null || this.#state !== 'talking') return;
    const life = await this.#phone.missing();
    if (life === null || this.#isOver()) return;
    this.#shell.log.warn({ life }, 'caller is not heard any more');
    if (life === 'forgotten') this.#events.signallingLost();
    else this.#events.mediaLost();
  }

  #gone(): void {
    if (this.#state === 'over') return;
    this.#settled();
    this.#end();
    this.#events.hungUp();
  }

  #answerFailed(error: Error): void {
    // The library's "CANCEL came first" is the caller's doing and has been told as such.
    if (this.#state === 'over') return;
    if (this.#phone === null) this.#state = 'invited';
    this.#endpoint?.close();
    this.#endpoint = null;
    this.#events.answerFailed(whyOf(error));
  }

  #wish(): Omit<EndpointWish, 'remoteSdp'> {
    const { cipher } = sdpFacts(this.offer);
    return {
      // Who offers it is not given less.
      cipher: cipher === 'none' ? this.cipher : cipher,
      mediaSource: mediaSource([this.#peer.ip]),
      events: {
        gone: () => this.#mediaLost(),
        silent: () => void this.#silent(),
        measured: (sound) => this.#events.measured(sound),
      },
    };
  }

  #mediaLost(): void {
    const lost = this.#endpoint;
    this.#endpoint = null;
    // Before the ACK it shows as a failed answer.
    if (this.#isAcknowledged && this.#state === 'talking' && lost !== null) void this.#move(lost);
  }

  async #move(lost: MediaEndpoint): Promise<void> {
    const phone = this.#phone;
    if (phone === null) return;
    this.#isMoving = true;
    try {
      const endpoint = await moveFrom(lost, this.#media, phone, this.#wish());
      if (this.#isOver()) return endpoint.close();
      this.#endpoint = endpoint;
      this.#isMoving = false;
      this.#shell.log.info({}, 'caller moved to another media server');
      this.#events.moved();
    } catch (error) {
      this.#isMoving = false;
      if (this.#isOver()) return;
      this.#shell.log.warn({ err: asError(error) }, 'caller could not be moved to another media server');
      this.#events.mediaLost();
    }
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }

  #end(): void {
    this.#state = 'over';
    // The endpoint object stays: a recording under way still reports through it.
    this.#endpoint?.close();
  }
}
