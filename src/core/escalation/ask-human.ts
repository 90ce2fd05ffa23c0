import { act, attest, newToken, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import { accept } from './acceptance.ts';
import { challenge, challengePrompts, judgeKey } from './challenge.ts';
import { hangUpLeg, withStage } from './legs.ts';
import type { Escalation, EscalationIn, EscalationLeg, Situation } from './model.ts';

type Open = EscalationIn<'working'> | EscalationIn<'settling'>;

/** Something has answered a mobile. It gets the call when it presses the digit, and a limited time to do so. */
export function challengeLeg(
  world: World,
  situation: Situation,
  escalation: Open,
  leg: EscalationLeg,
  turn: Turn,
): Escalation {
  act(turn, { type: 'wakeMe', afterMs: challenge.talkLimitMs, with: { type: 'challengeTimedOut', leg: leg.id } });
  return ask(world, situation, escalation, leg, 1, 'firstAttempt', turn);
}

export function keyPressed(
  world: World,
  situation: Situation,
  escalation: Open,
  leg: EscalationLeg,
  attempt: number,
  digits: string,
  turn: Turn,
): Escalation {
  const result = judgeKey(digits, situation.acceptDigit);
  attest(turn, { fact: 'challengeAnswered', leg: leg.id, result });
  if (result === 'accepted') return accept(escalation, leg, 'pressedDigit', turn);
  if (result === 'declined' || attempt >= challenge.attempts) return hangUpLeg(escalation, leg, 'notAccepted', turn);
  return ask(world, situation, escalation, leg, attempt + 1, result, turn);
}

function ask(
  world: World,
  situation: Situation,
  escalation: Open,
  leg: EscalationLeg,
  attempt: number,
  before: 'firstAttempt' | 'wrongDigit' | 'silence',
  turn: Turn,
): Escalation {
  const token = newToken(turn);
  const prompts = challengePrompts(world, situation, escalation, before);
  attest(turn, { fact: 'challenged', leg: leg.id, attempt });
  act(turn, { type: 'gather', leg: leg.id, token, prompts, maxDigits: 1, waitMs: challenge.waitMs });
  return withStage(escalation, leg.id, { name: 'challenged', attempt, token });
}
