import { CALLER, type CallEvent, type LegId } from '../call/events.ts';
import type { CallEffect } from '../call/effects.ts';
import { act, attest, newToken, type Turn } from '../call/turn.ts';
import { takenByPrompts } from './announce.ts';
import type { Escalation, EscalationLeg, LegStage } from './model.ts';

/** Book-keeping of the legs of an escalation. Every change of a leg that matters is a fact. */

type Because = Extract<CallEffect, { type: 'standDownLeg' }>['because'];

export function legOf(escalation: Escalation, id: LegId): EscalationLeg | undefined {
  return id === CALLER ? undefined : escalation.legs.find((leg) => leg.id === id);
}

export function withStage<E extends Escalation>(escalation: E, id: LegId, stage: LegStage): E {
  return { ...escalation, legs: escalation.legs.map((leg) => (leg.id === id ? { ...leg, stage } : leg)) };
}

export function withoutLeg<E extends Escalation>(escalation: E, id: LegId): E {
  return { ...escalation, legs: escalation.legs.filter((leg) => leg.id !== id) };
}

/** Still able to become an acceptance without luck. */
export function isOpen(leg: EscalationLeg): boolean {
  return leg.stage.name === 'ringing' || leg.stage.name === 'challenged';
}

/** CANCELs a ringing leg. It stays in the list: its answer may cross the CANCEL. */
export function standDownRinging<E extends Escalation>(
  escalation: E,
  leg: EscalationLeg,
  because: Because,
  turn: Turn,
): E {
  attest(turn, { fact: 'legEnded', leg: leg.id, result: { kind: 'stoodDown' } });
  act(turn, { type: 'standDownLeg', leg: leg.id, because, unlessAnswered: true });
  return withStage(escalation, leg.id, { name: 'stoodDown' });
}

/** Hangs up an answered leg for good. */
export function hangUpLeg<E extends Escalation>(escalation: E, leg: EscalationLeg, because: Because, turn: Turn): E {
  attest(turn, { fact: 'legEnded', leg: leg.id, result: { kind: 'stoodDown' } });
  act(turn, { type: 'standDownLeg', leg: leg.id, because });
  return withoutLeg(escalation, leg.id);
}

/** Tells an answered leg who took the call; it is hung up when that has been said. */
export function dismiss<E extends Escalation>(escalation: E, leg: EscalationLeg, winner: EscalationLeg, turn: Turn): E {
  const token = newToken(turn);
  const prompts = takenByPrompts({ id: winner.person, name: winner.personName });
  act(turn, { type: 'play', leg: leg.id, token, prompts, then: 'nothing' });
  return withStage(escalation, leg.id, { name: 'dismissed', token });
}

/** A leg goes away, or has heard who took the call. */
export function leftover<E extends Escalation>(
  escalation: E,
  leg: EscalationLeg,
  event: Extract<CallEvent, { type: 'promptFinished' | 'legFailed' | 'legEnded' }>,
  turn: Turn,
): E {
  if (event.type === 'promptFinished') {
    if (leg.stage.name !== 'dismissed' || leg.stage.token !== event.token) return escalation;
    return hangUpLeg(escalation, leg, 'takenElsewhere', turn);
  }
  // The end of a leg that was stood down is in the audit since the CANCEL.
  if (leg.stage.name !== 'stoodDown') {
    attest(turn, {
      fact: 'legEnded',
      leg: leg.id,
      result: event.type === 'legFailed' ? event.result : endedBy(event.by),
    });
  }
  return withoutLeg(escalation, leg.id);
}

export function endedBy(by: 'remote' | 'mediaLost'): { readonly kind: 'hungUp' | 'mediaLost' } {
  return { kind: by === 'remote' ? 'hungUp' : 'mediaLost' };
}

/** Nobody is left ringing or talking alone. For the end of the call; nothing is expected from the legs afterwards. */
export function standDownAll(escalation: Escalation, because: Because, turn: Turn): void {
  for (const leg of escalation.legs) {
    if (leg.stage.name === 'stoodDown') continue;
    attest(turn, { fact: 'legEnded', leg: leg.id, result: { kind: 'stoodDown' } });
    act(turn, { type: 'standDownLeg', leg: leg.id, because });
  }
}
