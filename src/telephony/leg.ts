import type { AnswerHint, CallEffect, LegResult, LegTarget, MeasuredSound, MediaFacts } from '../core/call/index.ts';
import { Branch } from './branch.ts';
import { asError, type SrfDialog } from './client-libraries/index.ts';
import { wireToEndpoint } from './dialog-wiring.ts';
import { legResult, tellingResult } from './leg-result.ts';
import { type Cipher, isDowngrade, needsSrtp } from './media-cipher.ts';
import type { CallMedia } from './media.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { EndpointWish } from './media-link.ts';
import { moveFrom, moveMedia } from './move-media.ts';
import { OfferedEndpoints } from './offered-endpoints.ts';
import { offeredHeaders } from './offered-headers.ts';
import { mediaSource, PhoneDialog } from './phone-dialog.ts';
import { type CallersInvite, ciphersOf, faultOf, hostsOf, type Place, placesOf } from './places.ts';
import { sdpFacts } from './sdp.ts';
import { completedElsewhere, type Shell, whyOf } from './shell.ts';
import type { SignallingLink } from './signalling-link.ts';

type RingLeg = Extract<CallEffect, { type: 'ringLeg' }>;
type Because = Extract<CallEffect, { type: 'standDownLeg' }>['because'];

export interface LegEvents {
  ringing(sipStatus: number): void;
  answered(media: MediaFacts): void;
  failed(result: LegResult): void;
  ended(by: 'remote' | 'mediaLost'): void;
  /** How this party sounded, after its end. */
  measured(sound: MeasuredSound): void;
  /** Who seems to have answered, when that was asked of its endpoint. */
  hinted?(hint: AnswerHint): void;
  /** The media server was lost, this party has an endpoint on another one. */
  moved(): void;
  /** The signalling server was started anew: nobody can say any more how this conversation ends. */
  signallingLost(): void;
}

/*
 *  preparing ──▶ ringing ──▶ joining ──▶ talking ──▶ over
 *      └────────────┴───────────┴────────────────────▶       over: failed or ended is told at most once
 *  preparing: the media server makes an endpoint; joining: it is given the answer's description
 */
type State = 'preparing' | 'ringing' | 'joining' | 'talking' | 'over';

/** A phone of the party has picked up. */
interface Answer {
  readonly link: SignallingLink;
  readonly dialog: SrfDialog;
  /** As the phone was to be rung. */
  readonly cipher: Cipher;
  readonly offer: string;
}

/** One party being called: every phone of an extension, or one outside number. The first to answer is the party. */
export class Leg {
  readonly #shell: Shell;
  readonly #target: LegTarget;
  readonly #callMedia: CallMedia;
  readonly #media: 'anchored' | 'direct';
  readonly #events: LegEvents;
  readonly #results: LegResult[] = [];
  #branches: Branch[] = [];
  #state: State = 'preparing';
  #hasRung = false;
  #isCancelled = false;
  #phone: PhoneDialog | null = null;
  #silence: { cancel(): void } | null = null;
  #isMoving = false;
  readonly #offered = new OfferedEndpoints();
  /** Whoever has answered talks through it. */
  #endpoint: MediaEndpoint | null = null;
  #cipher: Cipher = 'none';

  constructor(shell: Shell, media: CallMedia, order: RingLeg, caller: CallersInvite, events: LegEvents) {
    this.#shell = shell;
    this.#callMedia = media;
    this.#target = order.target;
    // Phones that do not protect their sound in the same way meet at the media server.
    const isDirect =
      order.media === 'direct' && caller.offer !== '' && isSame(ciphersOf(shell, order.target), caller.cipher);
    this.#media = isDirect ? 'direct' : 'anchored';
    this.#events = events;
    const fault = faultOf(shell, order.target, caller.hopsLeft);
    // In a later turn, like every other outcome: the engine is still starting this effect.
    if (fault) setImmediate(() => this.#fail(fault));
    else this.#ring(order, caller).catch((error: unknown) => this.#mediaFailed(asError(error)));
  }

  get endpoint(): MediaEndpoint | null {
    return this.#endpoint;
  }

  /** Between two media servers: there is no endpoint now, but there will be one. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** Once somebody has answered. */
  get phone(): PhoneDialog | null {
    return this.#phone;
  }

  /** `unlessAnswered`: somebody who has picked up is the engine's to decide about; it hears `answered` or has heard it. */
  standDown(because: Because, unlessAnswered = false): void {
    if (unlessAnswered && (this.#state === 'joining' || this.#state === 'talking')) return;
    const reason = because === 'takenElsewhere' ? completedElsewhere : null;
    switch (this.#state) {
      case 'preparing':
        return this.#fail({ kind: 'cancelled' });
      case 'ringing':
        this.#isCancelled = true;
        for (const branch of this.#branches) branch.cancel(reason);
        return;
      case 'joining':
        this.#hangUp(reason);
        return this.#events.failed({ kind: 'cancelled' });
      case 'talking':
        return this.#hangUp(reason);
      case 'over':
    }
  }

  /** Whatever it is doing, without a word to the engine. */
  close(): void {
    for (const branch of this.#branches) branch.abandon(null);
    this.#hangUp(null);
  }

  async #ring(order: RingLeg, { offer, cipher, hopsLeft, names }: CallersInvite): Promise<void> {
    await this.#shell.signalling.whenUp();
    if (this.#isOver()) return;
    const offers = this.#media === 'direct' ? new Map([[cipher, offer]]) : await this.#ourOffers();
    if (this.#isOver()) return;
    const shown = offeredHeaders(this.#target, order.offeredAs, this.#shell.options, this.#shell.trunks);
    const headers = { ...shown, 'Max-Forwards': String(hopsLeft - 1) };
    const places = placesOf(this.#shell, this.#target, { offers, headers, names });
    if (places.length === 0) return this.#fail({ kind: 'notRegistered' });
    this.#state = 'ringing';
    this.#branches = places.map((place) => this.#branch(place));
    this.#minding();
  }

  #ourOffers(): Promise<ReadonlyMap<Cipher, string>> {
    return this.#offered.make(ciphersOf(this.#shell, this.#target), (cipher) =>
      this.#callMedia.endpoint({ ...this.#wish(cipher), remoteSdp: null }),
    );
  }

  /** A carrier that says nothing is left for the next trunk long before the INVITE times out (RFC 3261 17.1.1.2). */
  #minding(): void {
    if (this.#target.kind !== 'number' || this.#target.failover === undefined) return;
    const { trunk } = this.#target;
    const { silenceMs } = this.#shell.trunks.get(trunk) ?? {};
    if (silenceMs === undefined) return;
    this.#silence = this.#shell.clock.after(silenceMs, () => {
      if (this.#state !== 'ringing' || this.#hasRung || this.#isCancelled) return;
      for (const branch of this.#branches) branch.abandon(null);
      this.#fail({ kind: 'trunkUnavailable', why: `trunk ${trunk} is silent for ${silenceMs / 1_000} s` });
    });
  }

  #wish(cipher: Cipher): Omit<EndpointWish, 'remoteSdp'> {
    return {
      cipher,
      mediaSource: mediaSource(hostsOf(this.#shell, this.#target)),
      events: {
        gone: () => this.#mediaLost(cipher),
        silent: () => void this.#silent(),
        measured: (sound) => {
          // What nobody has answered on says nothing of the leg.
          if (cipher === this.#cipher) this.#events.measured(sound);
        },
        hinted: (hint) => this.#events.hinted?.(hint),
      },
    };
  }

  #branch({ link, uri, options, cipher }: Place): Branch {
    const branch: Branch = new Branch(this.#shell, link, uri, options, {
      rang: (sipStatus) => {
        if (this.#hasRung || this.#isOver()) return;
        this.#hasRung = true;
        this.#events.ringing(sipStatus);
      },
      answered: (dialog) => this.#answered(branch, { link, dialog, cipher, offer: options.localSdp ?? '' }),
      failed: (sipStatus) => this.#branchFailed(sipStatus, cipher),
    });
    return branch;
  }

  #answered(winner: Branch, { link, dialog, cipher: wished, offer }: Answer): void {
    if (this.#state !== 'ringing') return void dialog.destroy({}, () => {});
    this.#state = 'joining';
    for (const branch of this.#branches) if (branch !== winner) branch.abandon(completedElsewhere);
    this.#branches = [];
    this.#phone = new PhoneDialog(this.#shell, link, dialog, {
      hungUp: () => this.#farEndLeft(),
      forgotten: () => this.#forgotten(),
    });
    const answer = dialog.remote.sdp;
    const { codec, cipher } = sdpFacts(answer);
    if (isDowngrade(sdpFacts(offer).cipher, cipher))
      return this.#mediaFailed(new Error(`the phone answered with ${needsSrtp}`));
    const talk = (path: MediaFacts['path']): void => {
      if (this.#state !== 'joining') return;
      this.#state = 'talking';
      this.#events.answered({ path, codec, cipher });
    };
    if (this.#media === 'direct') return talk('direct');
    this.#cipher = wished;
    this.#endpoint = this.#offered.take(wished);
    wireToEndpoint(this.#shell, dialog, () => this.#endpoint);
    this.#join(this.#phone, answer).then(
      () => talk('anchored'),
      (error: unknown) => this.#mediaFailed(asError(error)),
    );
  }

  async #join(phone: PhoneDialog, answer: string): Promise<void> {
    if (this.#endpoint === null) {
      // The media server that the phone was offered was lost while it rang.
      const endpoint = await moveMedia(this.#callMedia, phone, this.#wish(this.#cipher));
      if (this.#isOver()) return endpoint.close();
      this.#endpoint = endpoint;
      return;
    }
    phone.mark(this.#endpoint);
    await this.#endpoint.modify(answer);
  }

  #branchFailed(sipStatus: number, cipher: Cipher): void {
    if (this.#state !== 'ringing') return;
    const result: LegResult =
      this.#isCancelled && sipStatus === 487
        ? { kind: 'cancelled' }
        : legResult(sipStatus, this.#target, { hasRung: this.#hasRung, cipher });
    this.#results.push(result);
    // A person who declines on one phone declines on all (RFC 3261 16.7: 6xx ends the search).
    const isDeclined = result.kind === 'declined';
    if (isDeclined) for (const branch of this.#branches) branch.abandon(null);
    if (isDeclined || this.#results.length === this.#branches.length) {
      this.#fail(this.#isCancelled ? { kind: 'cancelled' } : tellingResult(this.#results));
    }
  }

  /** A conversation on our media goes on: the far end is still heard. Anything else cannot. */
  #forgotten(): void {
    if (this.#state === 'talking' && this.#media === 'direct') this.#events.signallingLost();
    if (this.#state === 'joining') this.#mediaFailed(new Error('the signalling server was started anew'));
  }

  async #silent(): Promise<void> {
    if (this.#phone === null || this.#state !== 'talking') return;
    const life = await this.#phone.missing();
    if (life === null || this.#isOver()) return;
    this.#shell.log.warn({ life }, 'called phone is not heard any more');
    if (life === 'forgotten') this.#events.signallingLost();
    else this.lost();
  }

  #farEndLeft(): void {
    const was = this.#state;
    this.#over();
    if (was === 'talking') this.#events.ended('remote');
    // drachtio-server 0.9.10 hangs up by itself whoever answers as the CANCEL goes out.
    if (was === 'joining' && this.#isCancelled) this.#events.failed({ kind: 'cancelled' });
    else if (was === 'joining')
      this.#events.failed({ kind: 'mediaFailed', why: 'hung up while it was being connected' });
  }

  /** The phone does not answer any more: what it had is over. */
  lost(): void {
    if (this.#state !== 'talking') return;
    this.#hangUp(null);
    this.#events.ended('mediaLost');
  }

  #mediaLost(cipher: Cipher): void {
    this.#offered.lost(cipher);
    const lost = this.#endpoint;
    this.#endpoint = null;
    switch (this.#state) {
      case 'ringing':
        // It rings on: whoever answers is given an endpoint on another media server.
        return;
      case 'talking':
        if (lost !== null) void this.#move(lost);
        return;
      default:
        return this.#mediaFailed(new Error('the media server dropped the endpoint'));
    }
  }

  async #move(lost: MediaEndpoint): Promise<void> {
    const phone = this.#phone;
    if (phone === null) return;
    this.#isMoving = true;
    try {
      const endpoint = await moveFrom(lost, this.#callMedia, phone, this.#wish(this.#cipher));
      if (this.#isOver()) return endpoint.close();
      this.#endpoint = endpoint;
      this.#isMoving = false;
      this.#shell.log.info({}, 'leg moved to another media server');
      this.#events.moved();
    } catch (error) {
      this.#isMoving = false;
      if (this.#isOver()) return;
      this.#shell.log.warn({ err: asError(error) }, 'leg could not be moved to another media server');
      this.lost();
    }
  }

  #mediaFailed(error: Error): void {
    if (this.#isOver()) return;
    for (const branch of this.#branches) branch.abandon(null);
    this.#hangUp(null);
    this.#events.failed({ kind: 'mediaFailed', why: whyOf(error) });
  }

  #fail(result: LegResult): void {
    if (this.#isOver()) return;
    this.#over();
    this.#events.failed(result);
  }

  #hangUp(reason: string | null): void {
    // The client library calls a dialog connected until its BYE is answered: asked twice it would send two.
    if (this.#isOver()) return;
    this.#over();
    this.#phone?.hangUp(reason);
  }

  #over(): void {
    this.#state = 'over';
    this.#silence?.cancel();
    this.#endpoint?.close();
    this.#offered.close();
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }
}

function isSame(ciphers: readonly Cipher[], cipher: Cipher): boolean {
  return ciphers.length === 1 && ciphers[0] === cipher;
}
