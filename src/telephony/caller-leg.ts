import { type EndCause, endCauses, type MediaFacts } from '../core/call/index.ts';
import { answerCaller, asError, type SrfDialog, type SrfRequest, type SrfResponse } from './client-libraries/index.ts';
import { wireToEndpoint, wireTogether } from './dialog-wiring.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import { sdpFacts } from './sdp.ts';
import { allow, guarded, reasonOf, type Shell } from './shell.ts';

export interface CallerEvents {
  answered(media: MediaFacts): void;
  answerFailed(why: string): void;
  /** CANCEL or BYE of the caller. */
  hungUp(): void;
  mediaLost(): void;
}

/*
 *  invited ──▶ answering ──▶ talking ──▶ over        over: told exactly once, whoever ended it
 *     └──────────────┴───────────────────▶
 */
type State = 'invited' | 'answering' | 'talking' | 'over';

/** The caller's INVITE and what becomes of it. */
export class CallerLeg {
  readonly #shell: Shell;
  #request: SrfRequest;
  #response: SrfResponse;
  readonly #events: CallerEvents;
  #state: State = 'invited';
  #isRinging = false;
  #isAcknowledged = false;
  #dialog: SrfDialog | null = null;
  #endpoint: MediaEndpoint | null = null;

  constructor(shell: Shell, request: SrfRequest, response: SrfResponse, events: CallerEvents) {
    this.#shell = shell;
    this.#request = request;
    this.#response = response;
    this.#events = events;
    this.#listen(request);
  }

  /**
   * The same INVITE, shown again by a signalling server that we had lost: the old transaction takes no answer any
   * more. false: this caller is not waiting.
   */
  adopt(request: SrfRequest, response: SrfResponse): boolean {
    if (this.#state !== 'invited') return false;
    this.#request = request;
    this.#response = response;
    this.#listen(request);
    if (this.#isRinging) this.ring();
    return true;
  }

  /** The caller's own description; '' when the offer is left to us. */
  get offer(): string {
    return this.#request.body;
  }

  get endpoint(): MediaEndpoint | null {
    return this.#endpoint;
  }

  /** Hung up or refused, by whomever. */
  get isOver(): boolean {
    return this.#state === 'over';
  }

  ring(): void {
    if (this.#state !== 'invited') return;
    this.#isRinging = true;
    this.#response.send(180, undefined, {});
  }

  refuse(cause: EndCause): void {
    if (this.#dialog !== null || this.#state === 'over') return;
    const { sip } = endCauses[cause];
    const status = sip >= 300 ? sip : 480;
    const retry: Record<string, string> = status === 503 ? { 'Retry-After': '5' } : {};
    this.#end();
    this.#response.send(status, undefined, { headers: { Reason: reasonOf(endCauses[cause]), ...retry } });
  }

  /** Anchors the caller on the media server and sends 200; told through the events. */
  answer(): void {
    if (this.#state !== 'invited') return;
    this.#state = 'answering';
    this.#anchor().catch((error: unknown) => this.#answerFailed(asError(error)));
  }

  /** 200 with another phone's description; the two dialogs are one conversation from then on. */
  connectTo(other: SrfDialog, done: (error: Error | null) => void): void {
    if (this.#state !== 'invited') return done(new Error('the caller is not waiting any more'));
    this.#state = 'answering';
    this.#send200(other.remote.sdp, (error, dialog) => {
      if (dialog) wireTogether(this.#shell, dialog, other);
      done(error);
    });
  }

  hangUp(cause: EndCause): void {
    if (this.#dialog === null) return this.refuse(cause);
    if (this.#state === 'over') return;
    this.#end();
    this.#dialog.destroy({ headers: { Reason: reasonOf(endCauses[cause]) } }, () => {});
  }

  close(): void {
    this.hangUp('internalError');
    this.#endpoint?.close();
  }

  #listen(request: SrfRequest): void {
    request.on(
      'cancel',
      guarded(this.#shell.log, 'CANCEL', () => this.#gone()),
    );
  }

  async #anchor(): Promise<void> {
    const { offer } = this;
    const facts = sdpFacts(offer);
    if (offer !== '' && facts.cipher !== 'none')
      throw new Error(`the caller offers encrypted audio only (${facts.cipher})`);
    const endpoint = await this.#shell.media.endpoint(offer === '' ? null : offer, () => this.#mediaLost());
    if (this.#state !== 'answering') return endpoint.close();
    this.#endpoint = endpoint;
    this.#send200(endpoint.sdp, (error, dialog) => {
      if (error || !dialog) return this.#answerFailed(error ?? new Error('no dialog'));
      wireToEndpoint(this.#shell, dialog, endpoint);
      dialog.on(
        'ack',
        guarded(this.#shell.log, 'ACK', (ack: SrfRequest) => {
          if (this.#isAcknowledged) return;
          this.#isAcknowledged = true;
          this.#acknowledged(endpoint, ack.body);
        }),
      );
    });
  }

  /** In a late offer the caller's description comes with the ACK (RFC 3264 4). */
  #acknowledged(endpoint: MediaEndpoint, answer: string): void {
    const codec = sdpFacts(this.offer === '' ? answer : endpoint.sdp).codec;
    const told = (): void => {
      if (this.#endpoint === null) return this.#answerFailed(new Error('the media server dropped the caller'));
      if (this.#state === 'talking') this.#events.answered({ path: 'anchored', codec, cipher: 'none' });
    };
    if (this.offer !== '') return told();
    endpoint.modify(answer).then(told, (error: unknown) => this.#answerFailed(asError(error)));
  }

  #send200(localSdp: string, done: (error: Error | null, dialog?: SrfDialog) => void): void {
    const { srf, dialogs, log } = this.#shell;
    answerCaller(srf, this.#request, this.#response, { localSdp, headers: { Allow: allow } }, (error, dialog) => {
      if (!dialog) return done(error);
      if (this.#state === 'over') {
        // Ended while the 200 was on its way out.
        dialog.destroy({}, () => {});
        return done(new Error('the caller is gone'));
      }
      this.#dialog = dialog;
      this.#state = 'talking';
      dialogs.add(dialog);
      dialog.on(
        'destroy',
        guarded(log, 'BYE', () => {
          dialogs.delete(dialog);
          this.#gone();
        }),
      );
      done(null, dialog);
    });
  }

  #gone(): void {
    if (this.#state === 'over') return;
    this.#end();
    this.#events.hungUp();
  }

  #answerFailed(error: Error): void {
    // The library's "CANCEL came first" is the caller's doing and has been told as such.
    if (this.#state === 'over') return;
    const cause = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
    if (this.#dialog === null) this.#state = 'invited';
    this.#endpoint?.close();
    this.#endpoint = null;
    this.#events.answerFailed(cause);
  }

  #mediaLost(): void {
    this.#endpoint = null;
    // Before the ACK it shows as a failed answer.
    if (this.#isAcknowledged && this.#state === 'talking') this.#events.mediaLost();
  }

  #end(): void {
    this.#state = 'over';
    if (this.#dialog) this.#shell.dialogs.delete(this.#dialog);
    // The endpoint object stays: a recording under way still reports through it.
    this.#endpoint?.close();
  }
}
