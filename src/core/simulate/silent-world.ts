import type { CallFact } from '../audit/index.ts';
import {
  CALLER,
  type CallEffect,
  type CallEvent,
  type CallId,
  type CallState,
  type EndCause,
  expectedCall,
  stepCall,
} from '../call/index.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import { never } from '../never.ts';
import type { CompiledRoster } from '../oncall/index.ts';
import { type Instant, plusMs } from '../time/index.ts';
import type { Supposed } from './model.ts';

/**
 * The real call machine among phones that ring and are never answered, on a virtual clock. Nothing here decides
 * anything: what a good shell would report comes back at once, timers when their time has come.
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
  readonly still: Still | null;
}

/** Where nothing more happens by itself. */
export type Still =
  | { readonly kind: 'asked'; readonly token: number; readonly waitMs: number }
  | { readonly kind: 'records'; readonly mailbox: string; readonly urgent: boolean }
  | { readonly kind: 'over'; readonly cause: EndCause };

export function firstScene(setting: Setting): Scene {
  const { from, to, at } = setting.supposed;
  const trunk = setting.plan.source.trunk;
  const arrival: CallEvent = {
    type: 'callArrived',
    callId: 'simulated' as CallId,
    caller: { from: from === null ? { kind: 'trunk', trunk } : { kind: 'phone', extension: from }, number: null },
    dialled: to,
    peer: 'simulated',
    sipCallId: 'simulated',
    acceptDigit: '1',
    messageId: 'simulated',
  };
  const scene: Scene = { call: expectedCall, at, agenda: [{ at, event: arrival }], facts: [], still: null };
  return play(setting, scene);
}

/** The caller presses `key`, or '': the time for it passes. */
export function press(setting: Setting, scene: Scene, key: string): Scene {
  if (scene.still?.kind !== 'asked') return scene;
  const { token, waitMs } = scene.still;
  const due = plusMs(scene.at, key === '' ? waitMs : 0);
  const event: CallEvent = { type: 'digitsGathered', leg: CALLER, token, digits: key };
  return play(setting, { ...scene, still: null, agenda: later(scene.agenda, due, event) });
}

/** Lets everything happen in its order until the caller is asked, is recorded, or the call is over. */
function play(setting: Setting, from: Scene): Scene {
  let scene = from;
  while (scene.still === null) {
    const [due, ...agenda] = scene.agenda;
    if (due === undefined) throw new RangeError('a call that nobody takes came to rest without an end');
    scene = happen(setting, { ...scene, at: due.at, agenda }, due.event);
  }
  return scene;
}

function happen({ plan, roster, supposed }: Setting, scene: Scene, event: CallEvent): Scene {
  const { at } = scene;
  const { isRegistered = () => true, trunkFault = () => null } = supposed;
  const { state, effects } = stepCall({ at, plan, roster, isRegistered, trunkFault }, scene.call, event);
  let next: Scene = { ...scene, call: state };
  for (const effect of effects) next = perform(next, effect);
  return next;
}

function perform(scene: Scene, effect: CallEffect): Scene {
  const { at } = scene;
  const soon = (event: CallEvent, afterMs = 0): Scene => ({
    ...scene,
    agenda: later(scene.agenda, plusMs(at, afterMs), event),
  });
  switch (effect.type) {
    case 'attest':
      return { ...scene, facts: [...scene.facts, { at, fact: effect.fact as CallFact }] };
    case 'wakeMe':
      return soon(effect.with, effect.afterMs);
    case 'answerCaller':
      return soon({ type: 'callerAnswered', media: { path: 'anchored', codec: 'PCMU', cipher: 'none' } });
    case 'standDownLeg':
      return soon({ type: 'legFailed', leg: effect.leg, result: { kind: 'cancelled' } });
    case 'play':
      if (effect.then !== 'nothing') return scene;
      return soon({ type: 'promptFinished', leg: effect.leg, token: effect.token });
    case 'gather':
      return { ...scene, still: { kind: 'asked', token: effect.token, waitMs: effect.waitMs } };
    case 'lookUp':
      return soon({ type: 'lookedUp', token: effect.token, answer: null, why: 'nobody is asked in a simulation' });
    case 'recordMessage':
      return { ...scene, still: { kind: 'records', mailbox: effect.mailbox, urgent: effect.urgent } };
    case 'callOver':
      return { ...scene, still: { kind: 'over', cause: effect.cause } };
    case 'ringLeg':
    case 'ringCaller':
    case 'refuseCaller':
    case 'hangUpCaller':
      return scene;
    case 'bridge':
    case 'connectDirect':
      throw new RangeError(`${effect.type} in a call that nobody answers`);
    default:
      return never(effect);
  }
}

/** In the order of time; what is due at the same instant happens in the order in which it was asked for. */
function later(agenda: Scene['agenda'], at: Instant, event: CallEvent): Scene['agenda'] {
  const place = agenda.findLastIndex((due) => due.at <= at) + 1;
  return agenda.toSpliced(place, 0, { at, event });
}
