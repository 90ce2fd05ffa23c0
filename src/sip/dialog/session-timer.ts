//            2xx with Session-Expires
//                 |
//                 V        half of it: we refresh, if that is ours to do
//              running ----------------------------------------> running again, from the 2xx to that
//                 | nobody has refreshed it, or the peer knows nothing of it any more
//                 V
//              BYE
import type { Timer } from '../clock.ts';
import { namesExtension } from '../message/extensions.ts';
import { Headers } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/sip-message.ts';
import type { InDialogHandlers, RequestInFlight } from './in-flight.ts';

/** RFC 4028 4: nothing shorter is taken. */
export const minSessionSeconds = 90;
/** Whoever asks for months is refreshed every day. */
const maxSessionSeconds = 86_400;
/** When something else is going on in the dialog: soon again. */
const busyMs = 5_000;

/** How long a session lasts without a refresh, and who refreshes: the side that sent the request, or the other. */
export interface SessionTerms {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas';
}

/** The dialog whose session it is. */
export interface TimedDialog {
  /** Whether a refresh would cross something else. */
  readonly isBusy: boolean;
  readonly peerAllowsUpdate: boolean;
  readonly localSdp: Buffer | undefined;
  request(method: string, options: { headers: Headers; body?: Buffer }, handlers: InDialogHandlers): RequestInFlight;
  ack(): SipRequest;
}

export interface SessionTimerOptions {
  readonly after: (afterMs: number, action: () => void) => Timer;
  /** Ends the dialog with BYE. */
  readonly onExpired: () => void;
}

/** Ends a dialog whose peer is gone without a word, RFC 4028. */
export class SessionTimer {
  readonly #dialog: TimedDialog;
  readonly #host: SessionTimerOptions;
  #seconds = 0;
  #isOurs = false;
  #refresh: Timer | undefined;
  #expiry: Timer | undefined;

  constructor(dialog: TimedDialog, host: SessionTimerOptions) {
    this.#dialog = dialog;
    this.#host = host;
  }

  /** Undefined while there is no limit. */
  get terms(): { readonly seconds: number; readonly isOurs: boolean } | undefined {
    return this.#expiry === undefined ? undefined : { seconds: this.#seconds, isOurs: this.#isOurs };
  }

  /** From the 2xx on that has just been sent or received. */
  restart(seconds: number, isOurs: boolean): void {
    this.stop();
    this.#seconds = seconds;
    this.#isOurs = isOurs;
    const ms = seconds * 1_000;
    // RFC 4028 10: the BYE comes before the far end gives up.
    const graceMs = Math.min(32_000, ms / 3);
    this.#expiry = this.#host.after(ms - graceMs, () => this.#expired());
    if (isOurs) this.#refresh = this.#host.after(ms / 2, () => this.#refreshNow());
  }

  stop(): void {
    this.#refresh?.stop();
    this.#expiry?.stop();
    this.#expiry = undefined;
  }

  #refreshNow(): void {
    const dialog = this.#dialog;
    if (dialog.isBusy) {
      this.#refresh = this.#host.after(busyMs, () => this.#refreshNow());
      return;
    }
    const headers = new Headers().add('Session-Expires', `${this.#seconds};refresher=uac`);
    // An UPDATE leaves the media alone; a peer that does not know it gets our last offer again.
    const method = dialog.peerAllowsUpdate ? 'UPDATE' : 'INVITE';
    const body = method === 'INVITE' ? dialog.localSdp : undefined;
    if (body !== undefined) headers.add('Content-Type', 'application/sdp');
    dialog.request(method, { headers, body }, { onResponse: (response) => this.#answered(method, response) });
  }

  #answered(method: string, response: SipResponse): void {
    const { status, headers } = response;
    if (status < 200) return;
    if (status < 300) return void (method === 'INVITE' && this.#dialog.ack());
    // RFC 4028 10, RFC 5057: the peer knows nothing of this dialog.
    if (status === 408 || status === 481) return this.#expired();
    // We have no password to answer with: only the app knows one. But whoever asks for it is there, and a conversation that goes on is
    // not ended for that; it is asked again in its time, and the far end may still end it.
    if (status === 401 || status === 407) return this.restart(this.#seconds, true);
    const wantedSeconds = status === 422 ? Number.parseInt(headers.get('Min-SE') ?? '', 10) : Number.NaN;
    if (wantedSeconds > this.#seconds) this.#seconds = Math.min(wantedSeconds, maxSessionSeconds);
    // Anything else is said to this one attempt: 491 and the like. The expiry goes on.
    this.#refresh = this.#host.after(busyMs, () => this.#refreshNow());
  }

  #expired(): void {
    this.stop();
    this.#host.onExpired();
  }
}

/** Whether an INVITE or UPDATE asks for less than we take; it is answered 422 with Min-SE. */
export function asksTooShort({ method, headers }: SipRequest): boolean {
  if ((method !== 'INVITE' && method !== 'UPDATE') || !namesExtension(headers, 'Supported', 'timer')) return false;
  const asked = parseSessionExpires(headers);
  return asked !== undefined && asked.seconds < minSessionSeconds;
}

/** What our 2xx to an INVITE or UPDATE says about its session; undefined if nothing. `given`: the headers of our user. */
export function termsOfAnswer(request: SipRequest, given: Headers | undefined): SessionTerms | undefined {
  const asked = parseSessionExpires(request.headers);
  const own = given === undefined ? undefined : parseSessionExpires(given);
  const wanted = own ?? asked;
  if (wanted === undefined) return undefined;
  // Who does not know of timers does not refresh either; a proxy may have asked in its name, but names no refresher
  // then (RFC 4028 8.1).
  const knows = namesExtension(request.headers, 'Supported', 'timer') || asked?.refresher !== undefined;
  const refresher = knows ? (asked?.refresher ?? own?.refresher ?? 'uac') : 'uas';
  return { seconds: clamped(wanted.seconds), refresher };
}

/** Writes the terms into our 2xx, RFC 4028 9. */
export function writeTerms(headers: Headers, terms: SessionTerms): void {
  headers.set('Session-Expires', `${terms.seconds};refresher=${terms.refresher}`);
  if (terms.refresher === 'uac' && !namesExtension(headers, 'Require', 'timer')) headers.add('Require', 'timer');
}

/** What a 2xx to our INVITE or UPDATE means for its session; undefined if it has no end. */
export function termsOfResponse(sent: SipRequest, response: SipResponse): SessionTerms | undefined {
  const said = parseSessionExpires(response.headers);
  if (said !== undefined) return { seconds: clamped(said.seconds), refresher: said.refresher ?? 'uac' };
  // A peer that knows nothing of timers: we refresh alone, and learn whether it is still there.
  const asked = parseSessionExpires(sent.headers);
  return asked === undefined ? undefined : { seconds: clamped(asked.seconds), refresher: 'uac' };
}

/** A request that names a Session-Expires says that we know what it means. */
export function supportsTimer(headers: Headers): void {
  if (headers.has('Session-Expires') && !namesExtension(headers, 'Supported', 'timer'))
    headers.add('Supported', 'timer');
}

function parseSessionExpires(headers: Headers): { seconds: number; refresher: 'uac' | 'uas' | undefined } | undefined {
  const value = headers.get('Session-Expires');
  const match = value === undefined ? null : /^\s*(\d{1,10})\s*(?:;|$)/.exec(value);
  if (value === undefined || match === null) return undefined;
  const refresher = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(value)?.[1]?.toLowerCase();
  return { seconds: Number(match[1]), refresher: refresher as 'uac' | 'uas' | undefined };
}

function clamped(seconds: number): number {
  return Math.max(minSessionSeconds, Math.min(seconds, maxSessionSeconds));
}
