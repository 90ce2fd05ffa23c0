import { CALLER, type CallEvent, type CallId, type LegId, type MeasuredSound } from '../core/call/index.ts';
import type { Prompt } from '../core/dialplan/index.ts';
import { never } from '../core/never.ts';
import type { TelephonyCall, TelephonyEffect } from '../engine/ports.ts';
import type { CalledEvents, CallerSide } from './caller-side.ts';
import { asError, type SrfRequest, type SrfResponse } from './client-libraries/index.ts';
import { Leg } from './leg.ts';
import { DirectWatch } from './direct-watch.ts';
import { failureOf } from './effect-failure.ts';
import { LegNames } from './leg-names.ts';
import type { CallMedia } from './media.ts';
import type { MediaEndpoint, Recorded } from './media-endpoint.ts';
import type { Shell } from './shell.ts';

/** Behind the end of a prompt that a key may end nobody waits for one. */
const keyMs = 50;

/** It becomes the name of a file. */
const messageName = /^[A-Za-z0-9-]{1,64}$/;

/** How a call begins, and who its caller is. */
export interface BegunCall {
  readonly media: CallMedia;
  /** Of the INVITEs that it sends. */
  readonly names: LegNames;
  readonly hopsLeft: number;
  readonly side: (events: CalledEvents) => CallerSide;
}

/** One call: carries out the engine's effects and tells it what happened. Never throws, never waits. */
export class Call implements TelephonyCall {
  readonly #shell: Shell;
  readonly #names: LegNames;
  readonly #media: CallMedia;
  readonly #caller: CallerSide;
  readonly #legs = new Map<LegId, Leg>();
  readonly #hopsLeft: number;
  readonly #onOver: () => void;
  #emit: ((event: CallEvent) => void) | null = null;
  /** What happened before the engine had said where to tell it. */
  readonly #early: CallEvent[] = [];
  #callId: CallId | null = null;
  #isOver = false;
  /** Leg to bridge to as soon as the caller is answered: a `direct` call that had to be anchored. */
  #thenBridge: LegId | null = null;
  #watch: DirectWatch | null = null;
  /** What each party hears or is to hear, or the caller is to say. */
  readonly #sounds = new Map<LegId, TelephonyEffect>();
  /** Whom the caller talks to, or is about to. */
  #partner: { readonly leg: LegId; isJoined: boolean } | null = null;
  /** With whom a process after this one would find the caller talking. */
  #kept: LegId | null = null;

  constructor(shell: Shell, { media, names, hopsLeft, side }: BegunCall, onOver: () => void) {
    this.#shell = shell;
    this.#names = names;
    this.#media = media;
    this.#hopsLeft = hopsLeft;
    this.#onOver = onOver;
    this.#caller = side({
      ringing: (sipStatus) => this.#tell({ type: 'legRinging', leg: CALLER, sipStatus }),
      failed: (result) => this.#tell({ type: 'legFailed', leg: CALLER, result }),
      answered: (media) => {
        if (this.#thenBridge === null) this.#tell({ type: 'callerAnswered', media });
        else this.#bridge(this.#thenBridge);
      },
      answerFailed: (why) => {
        if (this.#thenBridge === null) this.#tell({ type: 'callerAnswerFailed', why });
        else this.#tell({ type: 'bridgeFailed', leg: this.#thenBridge, why });
      },
      hungUp: () => this.#tell({ type: 'callerHungUp' }),
      mediaLost: () => this.#tell({ type: 'legEnded', leg: CALLER, by: 'mediaLost' }),
      moved: () => this.#moved(CALLER),
      measured: (sound) => this.#measured(CALLER, sound),
      signallingLost: () => this.#tell({ type: 'signallingLost' }),
    });
  }

  /** The engine has taken the call. */
  taken(callId: CallId, emit: (event: CallEvent) => void): void {
    this.#callId = callId;
    this.#names.belongTo(callId);
    this.#emit = emit;
    for (const event of this.#early.splice(0)) emit(event);
  }

  /** The caller's INVITE again, after the signalling server was lost and found. */
  adopt(request: SrfRequest, response: SrfResponse): boolean {
    return this.#caller.adopt(request, response);
  }

  perform(effect: TelephonyEffect): void {
    try {
      if (!this.#isOver) this.#perform(effect);
    } catch (error) {
      this.#shell.log.error({ call: this.#callId, effect: effect.type, err: error }, 'effect failed');
      // The engine waits for an outcome: none would be a call lost in silence.
      const outcome = failureOf(effect, asError(error).message);
      if (outcome) setImmediate(() => this.#tell(outcome));
    }
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watch?.close();
    this.#keep(null);
    for (const leg of this.#legs.values()) leg.close();
    this.#caller.close();
    this.#onOver();
  }

  #perform(effect: TelephonyEffect): void {
    switch (effect.type) {
      case 'answerCaller':
        return this.#caller.answer();
      case 'ringCaller':
        return this.#caller.ring();
      case 'refuseCaller':
        return this.#caller.refuse(effect.cause);
      case 'hangUpCaller':
        return this.#caller.hangUp(effect.cause);
      case 'ringLeg':
        return this.#ringLeg(effect);
      case 'standDownLeg':
        this.#part(effect.leg);
        return this.#legs.get(effect.leg)?.standDown(effect.because, effect.unlessAnswered);
      case 'play':
        return this.#play(effect);
      case 'gather':
        return this.#gather(effect);
      case 'playMessage':
        return this.#playMessage(effect);
      case 'bridge':
        return this.#bridge(effect.leg);
      case 'connectDirect':
        return this.#connectDirect(effect.leg);
      case 'recordMessage':
        return this.#record(effect);
      case 'callOver':
        // A call that never got an answer ends with the status of its cause.
        this.#caller.hangUp(effect.cause);
        return this.close();
      default:
        return never(effect);
    }
  }

  #ringLeg(effect: Extract<TelephonyEffect, { type: 'ringLeg' }>): void {
    const { leg } = effect;
    const made = new Leg(
      this.#shell,
      this.#media,
      effect,
      { offer: this.#caller.offer, cipher: this.#caller.cipher, hopsLeft: this.#hopsLeft, names: this.#names },
      {
        ringing: (sipStatus) => this.#tell({ type: 'legRinging', leg, sipStatus }),
        answered: (media) => this.#tell({ type: 'legAnswered', leg, media }),
        failed: (result) => this.#tell({ type: 'legFailed', leg, result }),
        ended: (by) => {
          this.#part(leg);
          this.#tell({ type: 'legEnded', leg, by });
        },
        moved: () => this.#moved(leg),
        measured: (sound) => this.#measured(leg, sound),
        hinted: (hint) => this.#tell({ type: 'answerHinted', leg, ...hint }),
        signallingLost: () => this.#tell({ type: 'signallingLost' }),
      },
    );
    this.#legs.set(leg, made);
  }

  #play(effect: Extract<TelephonyEffect, { type: 'play' }>): void {
    const { leg, token, prompts, then: loop } = effect;
    this.#sounds.set(leg, effect);
    if (this.#isMoving(leg)) return;
    const finished = (): void => {
      if (loop !== 'nothing') return;
      this.#over(effect);
      this.#tell({ type: 'promptFinished', leg, token });
    };
    const endpoint = this.#endpoint(leg);
    // Nothing to play on: the leg's own end has been or will be told; the prompt is over at any rate.
    if (endpoint === null) return void setImmediate(finished);
    if (effect.keys) {
      const options = { maxDigits: 1, waitMs: keyMs, isAgain: false };
      return endpoint.gather(this.#files(prompts), options, (digits, error) => {
        if (error) this.#shell.log.error({ call: this.#callId, leg, err: error }, 'prompt not played');
        if (digits === '') return finished();
        this.#over(effect);
        this.#tell({ type: 'digitsGathered', leg, token, digits });
      });
    }
    endpoint.play(this.#files(prompts), loop, (error) => {
      if (error) this.#shell.log.error({ call: this.#callId, leg, err: error }, 'prompt not played');
      finished();
    });
  }

  #gather(effect: Extract<TelephonyEffect, { type: 'gather' }>): void {
    const { leg, token, prompts, maxDigits, waitMs, isAgain } = effect;
    this.#sounds.set(leg, effect);
    if (this.#isMoving(leg)) return;
    const gathered = (digits: string): void => {
      this.#over(effect);
      this.#tell({ type: 'digitsGathered', leg, token, digits });
    };
    const endpoint = this.#endpoint(leg);
    if (endpoint === null) return void setImmediate(() => gathered(''));
    if (effect.hints) endpoint.hint();
    endpoint.gather(this.#files(prompts), { maxDigits, waitMs, isAgain }, (digits, error) => {
      if (error) this.#shell.log.error({ call: this.#callId, leg, err: error }, 'keys not gathered');
      gathered(digits);
    });
  }

  #playMessage(effect: Extract<TelephonyEffect, { type: 'playMessage' }>): void {
    const { leg, token, messageId, before, after, waitMs } = effect;
    this.#sounds.set(leg, effect);
    if (this.#isMoving(leg)) return;
    const over = (digits: string, error: Error | null): void => {
      this.#over(effect);
      if (error === null) this.#tell({ type: 'digitsGathered', leg, token, digits });
      else this.#tell({ type: 'messageUnplayable', token, why: error.message });
    };
    const endpoint = this.#endpoint(leg);
    if (endpoint === null || !messageName.test(messageId)) {
      return void setImmediate(() => over('', new Error('there is nothing to play it on')));
    }
    const sounds = { before: this.#files(before), messageId, after: this.#files(after) };
    endpoint.gatherOnMessage(sounds, waitMs, over);
  }

  #bridge(leg: LegId): void {
    this.#sounds.delete(CALLER);
    this.#sounds.delete(leg);
    if (this.#partner?.leg !== leg) this.#partner = { leg, isJoined: false };
    const partner = this.#partner;
    if (this.#isMoving(CALLER) || this.#isMoving(leg)) return;
    const caller = this.#endpoint(CALLER);
    const called = this.#endpoint(leg);
    const failed = (why: string): void => {
      // A media server that dies in this moment: both are moved, and joined there.
      if (this.#isMoving(CALLER) || this.#isMoving(leg)) return;
      this.#part(leg);
      this.#tell({ type: 'bridgeFailed', leg, why });
    };
    if (caller === null || called === null) return void setImmediate(() => failed('one side is gone'));
    caller.bridge(called).then(
      () => {
        this.#keep(leg);
        if (!partner.isJoined) this.#tell({ type: 'bridged', leg });
        partner.isJoined = true;
      },
      (error: unknown) => failed(asError(error).message),
    );
  }

  /** The party has an endpoint on another media server, where nothing of what was going on is known. */
  #moved(party: LegId): void {
    const partner = this.#partner?.leg;
    if (partner !== undefined && (party === CALLER || party === partner)) return this.#bridge(partner);
    const sound = this.#sounds.get(party);
    if (sound) this.perform(sound);
  }

  /** The caller does not talk to this party any more. */
  #part(leg: LegId): void {
    if (this.#partner?.leg === leg) this.#partner = null;
    if (this.#kept === leg) this.#keep(null);
  }

  /** The conversation, for a process after this one. null: it is over. */
  #keep(leg: LegId | null): void {
    const { talks } = this.#shell;
    this.#kept = leg;
    if (this.#callId === null) return;
    const [caller, called] = [this.#caller, leg === null ? undefined : this.#legs.get(leg)];
    if (leg === null || !caller.phone || !called?.phone) return talks.over(this.#callId);
    const phones = { caller: caller.phone.dialog, called: called.phone.dialog };
    const sound =
      caller.endpoint && called.endpoint ? { caller: caller.endpoint.dialog, called: called.endpoint.dialog } : null;
    talks.began({ callId: this.#callId, leg }, phones, sound);
  }

  #isMoving(leg: LegId): boolean {
    return leg === CALLER ? this.#caller.isMoving : (this.#legs.get(leg)?.isMoving ?? false);
  }

  /** It has been heard to its end. */
  #over(effect: Extract<TelephonyEffect, { type: 'play' | 'gather' | 'playMessage' }>): void {
    if (this.#sounds.get(effect.leg) === effect) this.#sounds.delete(effect.leg);
  }

  #connectDirect(id: LegId): void {
    const leg = this.#legs.get(id);
    const failed = (why: string): void => this.#tell({ type: 'bridgeFailed', leg: id, why });
    const phone = leg?.phone;
    if (!leg || !phone?.isUp) return void setImmediate(() => failed('the called phone is gone'));
    if (leg.endpoint !== null) {
      this.#thenBridge = id;
      return this.#caller.answer();
    }
    this.#caller.connectTo(phone, (error) => {
      if (error) return failed(error.message);
      this.#keep(id);
      this.#tell({ type: 'bridged', leg: id });
      this.#watchDirect(leg);
    });
  }

  #watchDirect(leg: Leg): void {
    const { caller, called } = { caller: this.#caller.phone, called: leg.phone };
    if (this.#isOver || caller === null || called === null) return;
    this.#watch = new DirectWatch(this.#shell.clock, this.#shell.options.sip.probeSeconds * 1000, [
      { phone: caller, lost: () => this.#tell({ type: 'legEnded', leg: CALLER, by: 'mediaLost' }) },
      { phone: called, lost: () => leg.lost() },
    ]);
  }

  #record(effect: Extract<TelephonyEffect, { type: 'recordMessage' }>): void {
    const { messageId, mailbox, maxMs } = effect;
    const ended = (durationMs: number, by: Recorded['by'], why: string): void =>
      this.#tell({ type: 'recordingEnded', messageId, durationMs, by, why });
    this.#sounds.delete(CALLER);
    if (this.#isMoving(CALLER)) return void this.#sounds.set(CALLER, effect);
    const sealTo = this.#shell.sealRecipients(mailbox);
    const endpoint = this.#endpoint(CALLER);
    // Never in the clear: without somebody to seal to there is no recording.
    const fault = sealTo.length === 0 ? `no key to seal messages of ${mailbox} to` : 'the caller is gone';
    if (sealTo.length === 0 || endpoint === null || !messageName.test(messageId)) {
      return void setImmediate(() => ended(0, 'failed', fault));
    }
    endpoint.record(`${messageId}.sealed`, { sealTo, maxMs }, ({ durationMs, by, why }) => ended(durationMs, by, why));
  }

  #endpoint(leg: LegId): MediaEndpoint | null {
    return leg === CALLER ? this.#caller.endpoint : (this.#legs.get(leg)?.endpoint ?? null);
  }

  #files(prompts: readonly Prompt[]): readonly string[] {
    const { files, missing } = this.#shell.prompts.filesFor(prompts);
    if (missing.length > 0) this.#shell.log.error({ call: this.#callId, missing }, 'prompt has no file');
    return files;
  }

  /** Known when the leg is over, and so perhaps the call. */
  #measured(leg: LegId, sound: MeasuredSound): void {
    this.#say({ type: 'soundMeasured', leg, sound });
  }

  #tell(event: CallEvent): void {
    if (!this.#isOver) this.#say(event);
  }

  #say(event: CallEvent): void {
    if (this.#emit === null) return void this.#early.push(event);
    try {
      this.#emit(event);
    } catch (error) {
      // Thrown on, it would end in the client libraries, which do not survive it.
      this.#shell.log.error({ call: this.#callId, event: event.type, err: error }, 'event not taken');
    }
  }
}
