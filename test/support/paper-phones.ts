import type { CallFact } from '../../src/core/audit/index.ts';
import {
  CALLER,
  type CallEffect,
  type CallEvent,
  type CallId,
  type CallState,
  expectedCall,
  type LegId,
  type LegResult,
  type LegTarget,
  stepCall,
} from '../../src/core/call/index.ts';
import type { CompiledPlan, Prompt } from '../../src/core/dialplan/index.ts';
import type { CompiledRoster } from '../../src/core/oncall/index.ts';
import { phi } from '../../src/core/phi/index.ts';
import { type Instant, plusMs } from '../../src/core/time/index.ts';
import type { Greetings, MessageBrief } from '../../src/core/voicemail/index.ts';
import { aPlan, aRoster, noon, phones } from './lakeside.ts';

/**
 * Stories told with phones made of paper: the pure machine, a virtual clock, and a shell that does at once what a good
 * shell does. Anything a shell could not do (playing to a leg that is not answered, acting before attesting, …) throws.
 */

const promptMs = 1_000;
const anchored = { path: 'anchored', codec: 'PCMU', cipher: 'none' } as const;
const direct = { ...anchored, path: 'direct' } as const;

type LegStatus = 'ringing' | 'cancelled' | 'answered' | 'bridged' | 'gone';

interface PaperLeg {
  readonly id: LegId;
  readonly target: LegTarget;
  readonly media: 'anchored' | 'direct';
  readonly displayName: string;
  status: LegStatus;
  heard: string[];
  gathers: number | null;
  stoodDownBecause: string | null;
}

export interface Circumstances {
  readonly at?: Instant;
  readonly plan?: CompiledPlan;
  readonly roster?: CompiledRoster;
  /** As people change it while the call runs; in place of `roster`. */
  readonly rosterAt?: (at: Instant) => CompiledRoster;
  readonly unregistered?: readonly string[];
  readonly trunkFault?: string;
  /** By name of the trunk, in place of `trunkFault`. */
  readonly trunkFaults?: Readonly<Record<string, string>>;
  readonly groupTurns?: number;
  /** Recorded for every mailbox. */
  readonly greetings?: Greetings;
  /** In every mailbox. */
  readonly messages?: number;
  /** false: the disk is full. */
  readonly roomToRecord?: boolean;
  /** What a mailbox holds, and the PIN that opens it. */
  readonly mailboxes?: Readonly<
    Record<string, { readonly pin: string; readonly holds: readonly MessageBrief[] | null }>
  >;
  /** Calling number of an outside caller. */
  readonly number?: string;
  readonly acceptDigit?: string;
  /** From the trunk instead of an extension. */
  readonly fromTrunk?: boolean;
  /** By this trunk. */
  readonly trunk?: string;
  readonly from?: string;
  /** The house calls somebody, in place of a caller who dials. */
  readonly called?: Pick<Extract<CallEvent, { type: 'houseCalls' }>, 'party' | 'errand'>;
  /** Who has a message already when it is claimed. */
  readonly claimedBy?: string;
  /** What is in the way of forwarding. */
  readonly notForwarded?: string;
  readonly answerFails?: boolean;
  /** Messages last as long as the recorder ran; 4 s without it. */
  readonly isTimed?: boolean;
  /** Messages that are damaged. */
  readonly unplayable?: readonly string[];
  /** Asked once for each leg; without it every phone rings. */
  readonly doesRing?: (number: string) => boolean;
  /** How long a phone takes to say that it was cancelled; 10 unless given. */
  readonly cancelMs?: number;
}

export class PaperCall {
  readonly facts: { readonly at: Instant; readonly fact: CallFact }[] = [];
  readonly legs: PaperLeg[] = [];
  state: CallState = expectedCall;
  at: Instant;
  caller: 'waiting' | 'hearsRinging' | 'answered' | 'refused' | 'hungUp' | 'left' = 'waiting';
  /** Prompt ids the caller has heard, in order. */
  readonly heard: string[] = [];
  callerHears: 'nothing' | 'prompt' | 'ringback' | 'leg' | 'recorder' = 'nothing';
  callerGathers: number | null = null;
  endings = 0;
  refusedWith: string | null = null;
  /** What a program was asked last. */
  asked: Extract<CallEffect, { type: 'lookUp' }> | null = null;
  readonly pins: string[] = [];
  /** What was done with messages: "3101 saved M1". */
  readonly changes: string[] = [];
  recording: { messageId: string; urgent: boolean; mailbox: string } | null = null;
  readonly #startedAt: Instant;
  #recordingSince: Instant = noon;
  readonly #circumstances: Circumstances;
  readonly #plan: CompiledPlan;
  readonly #roster: CompiledRoster;
  readonly unregistered: Set<string>;
  #agenda: { at: Instant; order: number; event: CallEvent }[] = [];
  #order = 0;

  constructor(dialled: string, circumstances: Circumstances = {}) {
    this.#circumstances = circumstances;
    this.at = this.#startedAt = circumstances.at ?? noon;
    this.#plan = circumstances.plan ?? aPlan();
    this.#roster = circumstances.roster ?? aRoster();
    this.unregistered = new Set(circumstances.unregistered);
    const drawn = { callId: 'K7QX-2M4D' as CallId, acceptDigit: circumstances.acceptDigit ?? '4', messageId: 'm1' };
    if (circumstances.called !== undefined) {
      this.happens({ type: 'houseCalls', ...circumstances.called, ...drawn });
      return;
    }
    const { trunk = circumstances.fromTrunk ? 'carrier' : null } = circumstances;
    const from =
      trunk !== null
        ? ({ kind: 'trunk', trunk } as const)
        : ({ kind: 'phone', extension: circumstances.from ?? phones.ward } as const);
    this.happens({
      type: 'callArrived',
      ...drawn,
      caller: { from, number: circumstances.number === undefined ? null : phi(circumstances.number) },
      dialled,
      peer: '127.0.0.1:5060/udp',
      sipCallId: 'abc@phone',
    });
  }

  /** Seconds since the call arrived. */
  get elapsed(): number {
    return (this.at - this.#startedAt) / 1000;
  }

  get ringing(): readonly string[] {
    return this.legs.filter(({ status }) => status === 'ringing').map(({ target }) => numberOf(target));
  }

  /** Lets `seconds` pass; everything due happens in its order. */
  after(seconds: number): this {
    const until = plusMs(this.at, seconds * 1000);
    for (;;) {
      this.#agenda.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#agenda[0];
      if (next === undefined || next.at > until) break;
      this.#agenda.shift();
      this.at = next.at;
      this.#step(next.event);
    }
    this.at = until;
    return this;
  }

  /** The newest leg to this extension or number. */
  phone(number: string): PaperPhone {
    const leg = this.legs.findLast(({ target }) => numberOf(target) === number);
    if (leg === undefined) throw new Error(`${number} never rang; ringing: ${this.ringing.join(' ')}`);
    return new PaperPhone(this, leg);
  }

  rang(number: string): boolean {
    return this.legs.some(({ target }) => numberOf(target) === number);
  }

  presses(key: string): this {
    const token = this.callerGathers;
    if (key === '#' && this.recording) return this.recordingEnds('key', this.#recordedMs());
    if (token === null) return this;
    this.callerGathers = null;
    return this.happens({ type: 'digitsGathered', leg: CALLER, token, digits: key });
  }

  /** Whom the house calls picks up. */
  picksUp(): this {
    this.caller = 'answered';
    return this.happens({ type: 'callerAnswered', media: anchored });
  }

  hangsUp(): this {
    if (this.recording) {
      this.happens({ type: 'callerHungUp' });
      this.caller = 'left';
      return this.recordingEnds('hangUp', this.#recordedMs());
    }
    this.caller = 'left';
    return this.happens({ type: 'callerHungUp' });
  }

  #recordedMs(): number {
    return this.#circumstances.isTimed === true ? this.at - this.#recordingSince : 4_000;
  }

  recordingEnds(by: 'key' | 'hangUp' | 'limit' | 'silence' | 'failed', durationMs: number): this {
    const { messageId } = this.recording ?? { messageId: '' };
    this.recording = null;
    return this.happens({ type: 'recordingEnded', messageId, durationMs, by, why: '' });
  }

  happens(event: CallEvent): this {
    this.#later(0, event);
    return this.after(0);
  }

  /** Two or more events before anybody can react to the first. */
  happenTogether(events: readonly CallEvent[]): this {
    for (const event of events) this.#step(event);
    return this.after(0);
  }

  fact<F extends CallFact['fact']>(name: F): Extract<CallFact, { fact: F }> | undefined {
    return this.factsOf(name)[0];
  }

  factsOf<F extends CallFact['fact']>(name: F): Extract<CallFact, { fact: F }>[] {
    return this.facts.flatMap(({ fact }) => (fact.fact === name ? [fact as Extract<CallFact, { fact: F }>] : []));
  }

  get endedBecause(): string | undefined {
    return this.fact('ended')?.cause;
  }

  #later(ms: number, event: CallEvent): void {
    this.#order += 1;
    this.#agenda.push({ at: plusMs(this.at, ms), order: this.#order, event });
  }

  #step(event: CallEvent): void {
    if (this.#isOutOfDate(event)) return;
    const { at } = this;
    const world = {
      at,
      plan: this.#plan,
      roster: this.#circumstances.rosterAt?.(at) ?? this.#roster,
      isRegistered: (extension: string) => !this.unregistered.has(extension),
      trunkFault: (trunk: string) => this.#circumstances.trunkFaults?.[trunk] ?? this.#circumstances.trunkFault ?? null,
      groupTurns: () => this.#circumstances.groupTurns ?? 0,
      greetingsOf: () => this.#circumstances.greetings ?? {},
      messagesIn: () => this.#circumstances.messages ?? 0,
      hasRoomToRecord: () => this.#circumstances.roomToRecord ?? true,
    };
    // The state survives being written down.
    const state = JSON.parse(JSON.stringify(this.state)) as CallState;
    const stepped = stepCall(world, state, event);
    this.state = stepped.state;
    let acted = false;
    for (const effect of stepped.effects) {
      if (this.endings > 0) throw new Error(`${effect.type} after callOver`);
      if (effect.type === 'attest') {
        if (acted) throw new Error(`${effect.fact.fact} attested after acting`);
        this.facts.push({ at, fact: effect.fact as CallFact });
      } else {
        acted = true;
        this.#perform(effect);
      }
    }
  }

  /** A good shell reports nothing about prompts and keys that were replaced, or legs that are gone. */
  #isOutOfDate(event: CallEvent): boolean {
    if (event.type === 'promptFinished' || event.type === 'digitsGathered') {
      const leg = this.legs.find(({ id }) => id === event.leg);
      return leg !== undefined && leg.status === 'gone';
    }
    if (event.type === 'legFailed' && event.result.kind === 'cancelled') {
      return this.legs.some(({ id, status }) => id === event.leg && status !== 'cancelled');
    }
    return false;
  }

  #perform(effect: Exclude<CallEffect, { type: 'attest' }>): void {
    switch (effect.type) {
      case 'wakeMe':
        return this.#later(effect.afterMs, effect.with);
      case 'answerCaller':
        must(this.caller === 'waiting' || this.caller === 'hearsRinging', 'the caller is answered once');
        // It rings: the story says whether anybody picks up.
        if (this.#circumstances.called !== undefined) return;
        if (this.#circumstances.answerFails) return this.#later(0, { type: 'callerAnswerFailed', why: 'no media' });
        this.caller = 'answered';
        return this.#later(0, { type: 'callerAnswered', media: anchored });
      case 'ringCaller':
        must(this.caller !== 'answered', '180 only before the answer');
        this.caller = 'hearsRinging';
        return;
      case 'refuseCaller':
        must(this.caller === 'waiting' || this.caller === 'hearsRinging', 'only an unanswered caller is refused');
        this.caller = 'refused';
        this.refusedWith = effect.cause;
        return;
      case 'hangUpCaller':
        must(this.caller === 'answered', 'only an answered caller is hung up');
        this.caller = 'hungUp';
        return;
      case 'ringLeg': {
        const { leg: id, target, media, offeredAs } = effect;
        const leg = { id, target, media, displayName: offeredAs.displayName, status: 'ringing' as LegStatus };
        this.legs.push({ ...leg, heard: [], gathers: null, stoodDownBecause: null });
        if (this.#circumstances.doesRing?.(numberOf(target)) === false) return;
        return this.#later(0, { type: 'legRinging', leg: id, sipStatus: 180 });
      }
      case 'standDownLeg': {
        const leg = this.#leg(effect.leg);
        leg.stoodDownBecause = effect.because;
        if (effect.unlessAnswered && leg.status === 'answered') return;
        if (leg.status === 'ringing') {
          leg.status = 'cancelled';
          this.#later(this.#circumstances.cancelMs ?? 10, {
            type: 'legFailed',
            leg: leg.id,
            result: { kind: 'cancelled' },
          });
        } else {
          leg.status = 'gone';
        }
        return;
      }
      case 'play': {
        const ids = effect.prompts.map(promptName);
        if (effect.leg === CALLER) {
          must(this.caller === 'answered', 'prompts need an answered caller');
          this.heard.push(...ids);
          this.callerGathers = effect.keys ? effect.token : null;
          this.callerHears = effect.then === 'nothing' ? 'prompt' : 'ringback';
        } else {
          const leg = this.#leg(effect.leg);
          must(leg.status === 'answered' || leg.status === 'bridged', 'prompts need an answered leg');
          leg.heard.push(...ids);
          leg.gathers = null;
        }
        if (effect.then !== 'nothing') return;
        const { leg, token } = effect;
        return this.#later(ids.length * promptMs, { type: 'promptFinished', leg, token });
      }
      case 'gather': {
        const ids = effect.prompts.map(promptName);
        const { leg, token } = effect;
        if (leg === CALLER) {
          must(this.caller === 'answered', 'keys need an answered caller');
          this.heard.push(...ids);
          this.callerGathers = token;
          this.callerHears = 'prompt';
        } else {
          must(this.#leg(leg).status === 'answered', 'keys need an answered leg');
          this.#leg(leg).heard.push(...ids);
          this.#leg(leg).gathers = token;
        }
        return this.#later(ids.length * promptMs + effect.waitMs, { type: 'digitsGathered', leg, token, digits: '' });
      }
      case 'bridge':
        must(this.#leg(effect.leg).status === 'answered', 'only an answered leg is bridged');
        must(this.caller === 'answered', 'only an answered caller is bridged');
        this.#leg(effect.leg).status = 'bridged';
        this.callerHears = 'leg';
        return this.#later(0, { type: 'bridged', leg: effect.leg });
      case 'connectDirect':
        must(this.#leg(effect.leg).media === 'direct', 'only a direct leg is connected directly');
        must(this.#leg(effect.leg).status === 'answered', 'only an answered leg is connected');
        must(this.caller === 'waiting' || this.caller === 'hearsRinging', 'a caller is connected directly once');
        this.#leg(effect.leg).status = 'bridged';
        this.caller = 'answered';
        this.callerHears = 'leg';
        return this.#later(0, { type: 'bridged', leg: effect.leg });
      case 'lookUp':
        this.asked = effect;
        return;
      case 'checkPin': {
        const right = this.#circumstances.mailboxes?.[effect.mailbox ?? '']?.pin;
        this.pins.push(effect.pin.reveal());
        const result = right === undefined ? 'noPin' : right === effect.pin.reveal() ? 'right' : 'wrong';
        return this.#later(100, { type: 'pinChecked', token: effect.token, result });
      }
      case 'listMessages': {
        const messages = this.#circumstances.mailboxes?.[effect.mailbox]?.holds ?? null;
        return this.#later(10, { type: 'messagesListed', token: effect.token, messages });
      }
      case 'claimMessage': {
        const { token, by, messageId } = effect;
        this.changes.push(`${by} claims ${messageId}`);
        return this.#later(10, { type: 'claimAnswered', token, by: this.#circumstances.claimedBy ?? by });
      }
      case 'forwardMessage': {
        const { token, messageId, commentId, to, by, isUrgent } = effect;
        const words = [by, 'forwards', messageId, 'to', to, ...(isUrgent ? ['urgent'] : []), commentId ?? ''];
        this.changes.push(words.join(' ').trim());
        return this.#later(10, { type: 'messageForwarded', token, why: this.#circumstances.notForwarded ?? null });
      }
      case 'handOverMessage':
        this.changes.push(`${effect.by} hands over ${effect.messageId} to ${effect.service}`);
        return;
      case 'setGreeting':
        this.changes.push(`${effect.by} ${effect.kind} of ${effect.mailbox}: ${effect.greetingId}`);
        return;
      case 'setAbsenceEnd':
        this.changes.push(`absence of ${effect.mailbox} ends ${effect.endsAt}`);
        return;
      case 'changeMessage':
        this.changes.push(`${effect.by} ${effect.change} ${effect.messageId}`);
        return;
      case 'playMessage': {
        must(this.caller === 'answered', 'messages need an answered caller');
        const { leg, token, messageId, before, after } = effect;
        if (this.#circumstances.unplayable?.includes(messageId)) {
          return this.#later(10, { type: 'messageUnplayable', token, why: 'damaged' });
        }
        this.heard.push(...before.map(promptName), `<${messageId}>`, ...after.map(promptName));
        this.callerGathers = token;
        return this.#later(60_000 + effect.waitMs, { type: 'digitsGathered', leg, token, digits: '' });
      }
      case 'recordMessage':
        must(this.caller === 'answered', 'only an answered caller is recorded');
        this.callerHears = 'recorder';
        this.recording = effect;
        this.#recordingSince = this.at;
        return;
      case 'callOver':
        this.endings += 1;
        return;
    }
  }

  #leg(id: LegId): PaperLeg {
    const leg = this.legs.find((leg) => leg.id === id);
    if (leg === undefined) throw new Error(`no leg ${id}`);
    return leg;
  }
}

/** What a person does with a phone that rings, or does not. */
export class PaperPhone {
  readonly #call: PaperCall;
  readonly leg: PaperLeg;

  constructor(call: PaperCall, leg: PaperLeg) {
    this.#call = call;
    this.leg = leg;
  }

  /** Also works on a leg whose CANCEL is on its way: the answer crosses it. */
  answers(): this {
    this.#call.happens(this.answer());
    return this;
  }

  answer(): CallEvent {
    this.leg.status = 'answered';
    return { type: 'legAnswered', leg: this.leg.id, media: this.leg.media === 'direct' ? direct : anchored };
  }

  presses(digits: string): this {
    const key = this.key(digits);
    if (key) this.#call.happens(key);
    return this;
  }

  key(digits: string): CallEvent | null {
    const token = this.leg.gathers;
    this.leg.gathers = null;
    return token === null ? null : { type: 'digitsGathered', leg: this.leg.id, token, digits };
  }

  hangsUp(): void {
    this.leg.status = 'gone';
    this.#call.happens({ type: 'legEnded', leg: this.leg.id, by: 'remote' });
  }

  losesSound(): void {
    this.leg.status = 'gone';
    this.#call.happens({ type: 'legEnded', leg: this.leg.id, by: 'mediaLost' });
  }

  fails(result: LegResult): void {
    this.leg.status = 'gone';
    this.#call.happens({ type: 'legFailed', leg: this.leg.id, result });
  }

  declines(): void {
    this.fails({ kind: 'declined', sipStatus: 603 });
  }

  isBusy(): void {
    this.fails({ kind: 'busy', sipStatus: 486 });
  }
}

function numberOf(target: LegTarget): string {
  return target.kind === 'extension' ? target.extension : target.e164;
}

function promptName(prompt: Prompt): string {
  if (prompt.say === 'id') return prompt.id;
  if (prompt.say === 'letters') return prompt.letters;
  return prompt.say === 'digits' ? prompt.digits : prompt.text;
}

function must(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}
