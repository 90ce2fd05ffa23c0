import type { CallFact } from '../audit/index.ts';
import {
  CALLER,
  type CallEffect,
  type CallEvent,
  type CallId,
  type CallState,
  type EndCause,
  expectedCall,
  type LegId,
  stepCall,
} from '../call/index.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import { never } from '../never.ts';
import { phi } from '../phi/index.ts';
import type { CompiledRoster } from '../oncall/index.ts';
import { type Instant, plusMs } from '../time/index.ts';
import type { PhoneOutcome, Supposed } from './model.ts';

/**
 * The real call machine among supposed phones, on a virtual clock. Nothing here decides anything: what a good shell
 * would report comes back at once, timers when their time has come, and each phone does what it is supposed to do. A
 * phone of which nothing is supposed rings and is never answered.
 */

export interface Setting {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly supposed: Supposed;
}

/** Plain data, so that a menu can be tried with each of its keys. */
export interface Scene {
  readonly call: CallState;
  readonly at: Instant;
  readonly agenda: readonly { readonly at: Instant; readonly event: CallEvent }[];
  readonly facts: readonly { readonly at: Instant; readonly fact: CallFact }[];
  /** What the phone of a leg does; a leg that is over is in here no more. */
  readonly phones: ReadonlyMap<LegId, { readonly outcome: PhoneOutcome; readonly isPickedUp: boolean }>;
  readonly still: Still | null;
}

/** Where nothing more happens by itself. */
export type Still =
  | { readonly kind: 'asked'; readonly token: number; readonly waitMs: number }
  | { readonly kind: 'talks'; readonly leg: LegId }
  | { readonly kind: 'records'; readonly mailbox: string; readonly urgent: boolean }
  | { readonly kind: 'over'; readonly cause: EndCause };

/** A machine hears the question to its end. What the caller hears takes no time: a caller may talk over it or wait. */
const askingMs = 5_000;
/** What a program takes to answer, if it may take so long. */
export function answeringMs(waitMs: number): number {
  return Math.min(1_000, waitMs / 2);
}
const acceptDigit = '1';
const declineDigit = '9';

export function firstScene(setting: Setting): Scene {
  const { from, to, at, number = null, trunk = setting.plan.source.trunk } = setting.supposed;
  const arrival: CallEvent = {
    type: 'callArrived',
    callId: 'simulated' as CallId,
    caller: {
      from: from === null ? { kind: 'trunk', trunk } : { kind: 'phone', extension: from },
      number: number === null ? null : phi(number),
    },
    dialled: to,
    peer: 'a simulation',
    sipCallId: 'simulated',
    acceptDigit,
    messageId: 'simulated',
  };
  const scene: Scene = {
    call: expectedCall,
    at,
    agenda: [{ at, event: arrival }],
    facts: [],
    phones: new Map(),
    still: null,
  };
  return play(setting, scene);
}

/** The caller presses `key` after a while, or '': the time for it passes. */
export function press(setting: Setting, scene: Scene, key: string, afterMs = 0): Scene {
  if (scene.still?.kind !== 'asked') return scene;
  const { token, waitMs } = scene.still;
  const due = plusMs(scene.at, key === '' ? waitMs : Math.min(afterMs, waitMs - 1));
  const event: CallEvent = { type: 'digitsGathered', leg: CALLER, token, digits: key };
  return play(setting, { ...scene, still: null, agenda: later(scene.agenda, due, event) });
}

/** Lets everything happen in its order until the caller is asked, talks, is recorded, or the call is over. */
function play(setting: Setting, from: Scene): Scene {
  let scene = from;
  while (scene.still === null) {
    const [due, ...agenda] = scene.agenda;
    if (due === undefined) throw new RangeError('a call came to rest without an end');
    scene = happen(setting, { ...scene, at: due.at, agenda }, due.event);
  }
  return scene;
}

function happen({ plan, roster, supposed }: Setting, scene: Scene, event: CallEvent): Scene {
  const { at } = scene;
  const {
    isRegistered = () => true,
    trunkFault = () => null,
    outcomeOf = () => rings,
    answerOf = () => undefined,
    rosterAt = () => roster,
  } = supposed;
  const { state, effects } = stepCall({ at, plan, roster: rosterAt(at), isRegistered, trunkFault }, scene.call, event);
  let next: Scene = { ...scene, call: state };
  if (event.type === 'legFailed') next = { ...next, phones: without(next.phones, event.leg) };
  if (event.type === 'legAnswered') next = pickedUp(next, event.leg);
  if (event.type === 'bridged') next = { ...next, still: { kind: 'talks', leg: event.leg } };
  for (const effect of effects) next = perform(next, effect, { outcomeOf, answerOf });
  return next;
}

const rings: PhoneOutcome = { kind: 'noAnswer', afterMs: null };

function perform(
  scene: Scene,
  effect: CallEffect,
  { outcomeOf, answerOf }: Required<Pick<Supposed, 'outcomeOf' | 'answerOf'>>,
): Scene {
  const soon = (event: CallEvent, afterMs = 0) => happensLater(scene, event, afterMs);
  switch (effect.type) {
    case 'attest':
      return { ...scene, facts: [...scene.facts, { at: scene.at, fact: effect.fact as CallFact }] };
    case 'wakeMe':
      return soon(effect.with, effect.afterMs);
    case 'answerCaller':
      return soon({ type: 'callerAnswered', media: anchored });
    case 'ringLeg': {
      const { leg, target } = effect;
      const outcome = outcomeOf(target.kind === 'extension' ? target.extension : target.e164);
      return ring({ ...scene, phones: new Map(scene.phones).set(leg, { outcome, isPickedUp: false }) }, effect);
    }
    case 'standDownLeg':
      return standDown(scene, effect.leg);
    case 'play':
      if (effect.then !== 'nothing') return scene;
      return soon({ type: 'promptFinished', leg: effect.leg, token: effect.token });
    case 'gather': {
      const { leg, token, waitMs } = effect;
      if (leg === CALLER) return { ...scene, still: { kind: 'asked', token, waitMs } };
      const digits = keyOf(scene.phones.get(leg)?.outcome ?? rings);
      return soon({ type: 'digitsGathered', leg, token, digits }, digits === '' ? askingMs + waitMs : 0);
    }
    case 'lookUp': {
      const answer = answerOf(effect.hook);
      // Silence: its time passes.
      if (answer === null) return scene;
      const { token, waitMs } = effect;
      if (answer !== undefined) return soon({ type: 'lookedUp', token, answer, why: '' }, answeringMs(waitMs));
      return soon({ type: 'lookedUp', token, answer: null, why: 'nobody is asked in a simulation' });
    }
    case 'bridge':
    case 'connectDirect':
      return soon({ type: 'bridged', leg: effect.leg });
    case 'checkPin':
      // A supposed caller knows no PIN.
      return soon({ type: 'pinChecked', token: effect.token, result: 'wrong' });
    case 'claimMessage':
      return soon({ type: 'claimAnswered', token: effect.token, by: effect.by });
    case 'listMessages':
      return soon({ type: 'messagesListed', token: effect.token, messages: [] });
    case 'playMessage':
      return soon({ type: 'digitsGathered', leg: effect.leg, token: effect.token, digits: '' }, effect.waitMs);
    case 'recordMessage':
      return { ...scene, still: { kind: 'records', mailbox: effect.mailbox, urgent: effect.urgent } };
    case 'callOver':
      return { ...scene, still: { kind: 'over', cause: effect.cause } };
    case 'forwardMessage':
      return soon({ type: 'messageForwarded', token: effect.token, why: null });
    case 'changeMessage':
    case 'handOverMessage':
    case 'setGreeting':
    case 'setAbsenceEnd':
    case 'ringCaller':
    case 'refuseCaller':
    case 'hangUpCaller':
      return scene;
    default:
      return never(effect);
  }
}

const anchored = { path: 'anchored', codec: 'PCMU', cipher: 'none' } as const;
const direct = { ...anchored, path: 'direct' } as const;

/** How long a phone rings before it does what it is supposed to, unless that is said. */
const usualMs = { answers: 5_000, machine: 10_000, declines: 3_000, busy: 0, unreachable: 0 } as const;

function ring(scene: Scene, { leg, target, media }: Extract<CallEffect, { type: 'ringLeg' }>): Scene {
  const { outcome } = scene.phones.get(leg)!;
  const { kind } = outcome;
  const ringing = kind === 'busy' || kind === 'unreachable' ? scene : happensLater(scene, isRinging(leg), 0);
  if (kind === 'noAnswer') {
    if (outcome.afterMs === null) return ringing;
    return happensLater(ringing, fails(leg, { kind: 'noAnswer', sipStatus: 480 }), outcome.afterMs);
  }
  const afterMs = outcome.afterMs ?? usualMs[kind];
  switch (kind) {
    case 'busy':
      return happensLater(ringing, fails(leg, { kind: 'busy', sipStatus: 486 }), afterMs);
    case 'unreachable':
      return happensLater(ringing, fails(leg, { kind: 'unreachable', sipStatus: 480 }), afterMs);
    case 'declines':
      // A mobile can say no only to whoever asks; a desk phone has a key for it.
      if (target.kind === 'extension')
        return happensLater(ringing, fails(leg, { kind: 'declined', sipStatus: 603 }), afterMs);
      return happensLater(ringing, answers(leg, media), afterMs);
    case 'machine':
    case 'answers':
      return happensLater(ringing, answers(leg, media), afterMs);
    default:
      return never(kind);
  }
}

function isRinging(leg: LegId): CallEvent {
  return { type: 'legRinging', leg, sipStatus: 180 };
}

function fails(leg: LegId, result: Extract<CallEvent, { type: 'legFailed' }>['result']): CallEvent {
  return { type: 'legFailed', leg, result };
}

function answers(leg: LegId, media: 'anchored' | 'direct'): CallEvent {
  return { type: 'legAnswered', leg, media: media === 'direct' ? direct : anchored };
}

function keyOf({ kind }: PhoneOutcome): string {
  if (kind === 'answers') return acceptDigit;
  return kind === 'declines' ? declineDigit : '';
}

/** CANCEL is always faster than whoever reaches for the phone; a leg that was picked up is gone without a word. */
function standDown(scene: Scene, leg: LegId): Scene {
  const phone = scene.phones.get(leg);
  if (phone === undefined) return scene;
  const agenda = scene.agenda.filter(({ event }) => !isByPhone(event, leg));
  const quiet = { ...scene, agenda, phones: without(scene.phones, leg) };
  return phone.isPickedUp ? quiet : happensLater(quiet, fails(leg, { kind: 'cancelled' }), 0);
}

function isByPhone(event: CallEvent, leg: LegId): boolean {
  return 'leg' in event && event.leg === leg && event.type !== 'ringTimedOut' && event.type !== 'challengeTimedOut';
}

function pickedUp(scene: Scene, leg: LegId): Scene {
  const phone = scene.phones.get(leg);
  return phone === undefined
    ? scene
    : { ...scene, phones: new Map(scene.phones).set(leg, { ...phone, isPickedUp: true }) };
}

function without(phones: Scene['phones'], leg: LegId): Scene['phones'] {
  const rest = new Map(phones);
  rest.delete(leg);
  return rest;
}

function happensLater(scene: Scene, event: CallEvent, afterMs: number): Scene {
  return { ...scene, agenda: later(scene.agenda, plusMs(scene.at, afterMs), event) };
}

/** In the order of time; what is due at the same instant happens in the order in which it was asked for. */
function later(agenda: Scene['agenda'], at: Instant, event: CallEvent): Scene['agenda'] {
  const place = agenda.findLastIndex((due) => due.at <= at) + 1;
  return agenda.toSpliced(place, 0, { at, event });
}
