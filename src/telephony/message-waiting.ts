import { messageSummary, noMessages } from '../core/voicemail/index.ts';
import type { Clock } from '../engine/ports.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { Challenger } from './challenger.ts';
import {
  notify,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
  takeSubscription,
} from './client-libraries/index.ts';
import { peerOf } from './peer.ts';
import { nextHop, requestUri } from './places.ts';
import type { ContactBinding, Lamps, Log } from './ports.ts';
import type { Registrations } from './registrations.ts';
import type { Signalling } from './signalling.ts';
import type { SignallingLink } from './signalling-link.ts';

/** A change is seen this long after it was made, by whichever process. */
const lookEveryMs = 2_000;
const usualSeconds = 3_600;
const shortestSeconds = 60;
const longestSeconds = 86_400;
const maxPerExtension = 5;

interface Subscription {
  readonly extension: string;
  readonly dialog: SrfDialog;
  timer: { cancel(): void };
  /** In milliseconds since 1970. */
  endsAt: number;
}

interface MessageWaitingParts {
  readonly lamps: Lamps;
  readonly registrations: Pick<Registrations, 'of' | 'all'>;
  readonly signalling: Pick<Signalling, 'forPhone'>;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Message waiting (RFC 3842): NOTIFY to phones that subscribed, and unasked to those that only registered. A phone is
 * told when it registers and whenever its number changes; after a restart each is told once, whatever it shows.
 */
export class MessageWaiting {
  readonly #parts: MessageWaitingParts;
  readonly #challenger: Challenger;
  readonly #subscriptions = new Set<Subscription>();
  /** What each extension was told last. */
  readonly #told = new Map<string, string>();
  #look: { cancel(): void } | null = null;
  #isClosed = false;

  constructor(parts: MessageWaitingParts) {
    this.#parts = parts;
    this.#challenger = new Challenger(parts);
  }

  /** Call once, when phones can be reached. */
  start(): void {
    this.#lookAround();
  }

  /** A phone has registered, perhaps anew: it may have lost what it was told. */
  registered(extension: string): void {
    const waiting = this.#parts.lamps.now()(extension);
    if (waiting !== null) this.#tell(extension, messageSummary(waiting));
  }

  /** SUBSCRIBE out of any dialog (RFC 6665 4.2.1). */
  subscribe(link: SignallingLink, request: SrfRequest, response: SrfResponse): void {
    const event = (request.get('Event') ?? '').split(';', 1)[0]!.trim().toLowerCase();
    if (event !== 'message-summary') {
      return response.send(489, undefined, { headers: { 'Allow-Events': 'message-summary' } });
    }
    const source = peerOf(request);
    const who = this.#parts.authenticator.check({
      method: 'SUBSCRIBE',
      authorization: request.get('Authorization') ?? request.get('Proxy-Authorization') ?? '',
      sourceIp: source.ip,
      userAgent: request.get('User-Agent') ?? '',
    });
    if (who.kind !== 'known') return this.#challenger.refuse(response, who, source);
    const waiting = this.#parts.lamps.now()(who.extension);
    // Whose lamp is whose is in the plan: a phone is told of its own mailbox, whatever it asks for.
    if (waiting === null) return response.send(404, 'This phone has no mailbox', {});
    const seconds = secondsOf(request);
    if (seconds !== 0 && seconds < shortestSeconds) {
      return response.send(423, undefined, { headers: { 'Min-Expires': String(shortestSeconds) } });
    }
    takeSubscription(link.srf, request, response, seconds, (error, dialog) => {
      if (dialog) this.#subscribed(who.extension, dialog, seconds);
      else this.#parts.log.warn({ extension: who.extension, err: error }, 'subscription not taken');
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#look?.cancel();
    this.#challenger.close();
    for (const one of this.#subscriptions) this.#end(one, 'deactivated');
  }

  #subscribed(extension: string, dialog: SrfDialog, seconds: number): void {
    const { clock } = this.#parts;
    const one: Subscription = { extension, dialog, timer: { cancel: () => {} }, endsAt: 0 };
    const prolong = (forSeconds: number): void => {
      one.timer.cancel();
      one.endsAt = clock.now() + forSeconds * 1000;
      one.timer = clock.after(forSeconds * 1000, () => this.#end(one, 'timeout'));
    };
    const mine = [...this.#subscriptions].filter((other) => other.extension === extension);
    if (mine.length >= maxPerExtension) this.#end(mine[0]!, 'rejected');
    this.#subscriptions.add(one);
    dialog.on('subscribe', (request, response) => {
      const wanted = secondsOf(request);
      response.send(200, undefined, { headers: { Expires: String(wanted) } });
      prolong(wanted);
      this.#tellOne(one, this.#summary(extension));
    });
    dialog.on('unsubscribe', () => this.#end(one, 'timeout'));
    dialog.on('destroy', () => this.#forget(one));
    prolong(seconds);
    // RFC 6665 4.2.1.2: the state of now, at once; of one that asks for 0 s it is all it gets.
    if (seconds === 0) this.#end(one, 'timeout');
    else this.#tellOne(one, this.#summary(extension));
  }

  #lookAround(): void {
    if (this.#isClosed) return;
    const { lamps, registrations, clock } = this.#parts;
    const waitingFor = lamps.now();
    const extensions = new Set(registrations.all().map(({ extension }) => extension));
    for (const { extension } of this.#subscriptions) extensions.add(extension);
    for (const extension of extensions) {
      const waiting = waitingFor(extension);
      // A phone whose mailbox was taken away must not shine for ever.
      if (waiting === null && !this.#told.has(extension)) continue;
      const summary = messageSummary(waiting ?? noMessages);
      if (this.#told.get(extension) !== summary) this.#tell(extension, summary);
      if (waiting === null) this.#told.delete(extension);
    }
    for (const extension of this.#told.keys()) if (!extensions.has(extension)) this.#told.delete(extension);
    this.#look = clock.after(lookEveryMs, () => this.#lookAround());
  }

  #summary(extension: string): string {
    return messageSummary(this.#parts.lamps.now()(extension) ?? noMessages);
  }

  #tell(extension: string, summary: string): void {
    this.#told.set(extension, summary);
    const mine = [...this.#subscriptions].filter((one) => one.extension === extension);
    for (const one of mine) this.#tellOne(one, summary);
    // A phone that subscribed is told in its subscription, and not twice.
    if (mine.length > 0) return;
    for (const binding of this.#parts.registrations.of(extension)) this.#unasked(binding, summary);
  }

  #unasked(binding: ContactBinding, summary: string): void {
    const { signalling, log } = this.#parts;
    const { extension, uri } = binding;
    const headers = { ...headersOf('active'), To: `<${requestUri(uri)}>` };
    notify(
      signalling.forPhone(binding).srf,
      requestUri(uri),
      nextHop(binding),
      { headers, body: summary },
      (status) => {
        // Many phones take none that they did not subscribe to: their right (RFC 6665 4.1.3).
        if (status === null) log.warn({ extension }, 'phone could not be told of its messages');
      },
    );
  }

  #tellOne(one: Subscription, summary: string): void {
    const leftSeconds = Math.max(0, Math.round((one.endsAt - this.#parts.clock.now()) / 1000));
    const request = { method: 'NOTIFY', headers: headersOf(`active;expires=${leftSeconds}`), body: summary };
    one.dialog.request(request, (error, response) => {
      // RFC 6665 4.2.2: a subscriber that knows nothing of it, or is gone, has ended it.
      if (error || response?.status === 481) this.#forget(one);
    });
  }

  #end(one: Subscription, reason: string): void {
    if (!this.#subscriptions.has(one)) return;
    this.#forget(one);
    const headers = headersOf(`terminated;reason=${reason}`);
    one.dialog.request({ method: 'NOTIFY', headers, body: this.#summary(one.extension) }, () => {});
  }

  #forget(one: Subscription): void {
    one.timer.cancel();
    this.#subscriptions.delete(one);
  }
}

function headersOf(state: string) {
  return {
    Event: 'message-summary',
    'Subscription-State': state,
    'Content-Type': 'application/simple-message-summary',
  };
}

function secondsOf(request: SrfRequest): number {
  const text = request.get('Expires')?.trim() ?? '';
  return /^\d{1,10}$/.test(text) ? Math.min(Number(text), longestSeconds) : usualSeconds;
}
