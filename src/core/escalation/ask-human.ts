import type { CallEvent } from '../call/events.ts';
import { act, attest, newToken, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import { type Instant, plusMs } from '../time/index.ts';
import { accept } from './acceptance.ts';
import { challenge, challengePrompts, judgeKey } from './challenge.ts';
import { hangUpLeg, standDownRinging, withStage } from './legs.ts';
import type { Escalation, EscalationIn, EscalationLeg, Situation } from './model.ts';

type Open = EscalationIn<'working'> | EscalationIn<'settling'>;

/** Something has answered a mobile. It gets the call when it presses the digit, and a limited time to do so. */
export function challengeLeg<E extends Open>(
  world: World,
  situation: Situation,
  escalation: E,
  leg: EscalationLeg,
  turn: Turn,
): E {
  const until = plusMs(world.at, challenge.talkLimitMs);
  act(turn, {
    type: 'wakeMe',
    afterMs: challenge.talkLimitMs,
    with: { type: 'challengeTimedOut', leg: leg.id, until },
  });
  return ask(world, situation, escalation, leg, { attempt: 1, until }, 'firstAttempt', turn);
}

export function keyPressed(
  world: World,
  situation: Situation,
  escalation: Open,
  leg: EscalationLeg,
  { attempt, until }: Asked,
  digits: string,
  turn: Turn,
): Escalation {
  const result = judgeKey(digits, situation.acceptDigit);
  attest(turn, { fact: 'challengeAnswered', leg: leg.id, result });
  if (result === 'accepted') return accept(situation, escalation, leg, 'pressedDigit', turn);
  if (result === 'declined') return decline(escalation, leg, turn);
  if (attempt >= challenge.attempts) return hangUpLeg(escalation, leg, 'notAccepted', turn);
  return ask(world, situation, escalation, leg, { attempt: attempt + 1, until }, result, turn);
}

/**
 * The person has said no, not this phone alone: the others stop too and none is rung again in this call. The phones of
 * a post may be with different people, so there it is this phone alone.
 */
function decline(escalation: Open, leg: EscalationLeg, turn: Turn): Escalation {
  const next = hangUpLeg(escalation, leg, 'notAccepted', turn);
  if (leg.isPost) return next;
  return next.legs
    .filter(({ person, stage }) => person === leg.person && stage.name === 'ringing')
    .reduce((all, ringing) => standDownRinging(all, ringing, 'notAccepted', turn), {
      ...next,
      declined: [...next.declined, leg.person],
    });
}

/** For whoever reads the call's trace. What is heard of somebody who has pressed a key already is no answer any more. */
export function hinted<E extends Open>(
  escalation: E,
  leg: EscalationLeg,
  { hint, speechMs, pauseMs }: Extract<CallEvent, { type: 'answerHinted' }>,
  turn: Turn,
): E {
  if (leg.stage.name === 'challenged') attest(turn, { fact: 'answerHinted', leg: leg.id, hint, speechMs, pauseMs });
  return escalation;
}

interface Asked {
  readonly attempt: number;
  readonly until: Instant;
}

function ask<E extends Open>(
  world: World,
  situation: Situation,
  escalation: E,
  leg: EscalationLeg,
  { attempt, until }: Asked,
  before: 'firstAttempt' | 'wrongDigit' | 'silence',
  turn: Turn,
): E {
  const token = newToken(turn);
  const prompts = challengePrompts(world, situation, escalation, before);
  attest(turn, { fact: 'challenged', leg: leg.id, attempt });
  const isAgain = attempt > 1;
  const hints = isAgain ? {} : ({ hints: true } as const);
  act(turn, { type: 'gather', leg: leg.id, token, prompts, maxDigits: 1, waitMs: challenge.waitMs, isAgain, ...hints });
  return withStage(escalation, leg.id, { name: 'challenged', attempt, token, until });
}
