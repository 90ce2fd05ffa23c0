import type { CallEvent } from '../call/events.ts';
import { act, attest, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import { accept } from './acceptance.ts';
import { callingPrompts } from './announce.ts';
import { challengeLeg, hinted, keyPressed } from './ask-human.ts';
import { dismiss, endedBy, hangUpLeg, isOpen, leftover, legOf, standDownRinging, withoutLeg } from './legs.ts';
import type { Escalation, EscalationIn, EscalationLeg, Situation } from './model.ts';
import { byNextTrunk } from './next-trunk.ts';
import { addSuccessors, chainSteps, startStep } from './start-step.ts';

/*
 *   start ──▶ working ──all failed · time up──▶ working (next step) ──last step──▶ settling ──▶ exhausted
 *                │ acceptance                                                         │             │
 *                ▼                                                                    │             │ desk answer
 *             bridging ◀──────────────────────────acceptance──────────────────────────┴─────────────┘ crossed CANCEL
 *                │ bridged          └─ not bridged · winner lost ──▶ working (same step, the phones that had no chance)
 *                ▼
 *             talking ── winner hangs up ──▶ over
 *                └─ sound lost ──▶ working (same step, …)
 */

/** Begins to work down the chain of `urgency` for an answered caller. */
export function startEscalation(
  world: World,
  situation: Situation,
  about: Pick<Escalation, 'service' | 'urgency' | 'place'>,
  turn: Turn,
): Escalation {
  const { service, urgency, place } = about;
  const chain = world.roster.service(service)?.chains[urgency].id ?? 'none';
  const steps = chainSteps(world, service, urgency).length;
  attest(turn, { fact: 'escalationStarted', service, urgency, chain, steps });
  const fresh: Escalation = {
    name: 'exhausted',
    service,
    urgency,
    place,
    legs: [],
    tried: [],
    declined: [],
    step: 0,
    round: 0,
  };
  return startStep(world, situation, fresh, 0, callingPrompts(world, about), turn);
}

/** Facts and acts go into `turn`. Events that are none of its business leave the escalation as it is. */
export function stepEscalation(
  world: World,
  situation: Situation,
  escalation: Escalation,
  event: CallEvent,
  turn: Turn,
): Escalation {
  switch (escalation.name) {
    case 'working':
      return working(world, situation, escalation, event, turn);
    case 'settling':
      return settling(world, situation, escalation, event, turn);
    case 'exhausted':
      return exhausted(situation, escalation, event, turn);
    case 'bridging':
      return bridging(world, situation, escalation, event, turn);
    case 'talking':
      return talking(world, situation, escalation, event, turn);
    default:
      return escalation;
  }
}

function working(
  world: World,
  situation: Situation,
  escalation: EscalationIn<'working'>,
  event: CallEvent,
  turn: Turn,
): Escalation {
  switch (event.type) {
    case 'stepTimedOut':
      // Nothing cancels a timer: only the one of the step in work counts.
      if (event.step !== escalation.round) return escalation;
      return stepTimedOut(world, situation, escalation, turn);
    case 'shiftBoundaryReached':
      if (event.step !== escalation.round) return escalation;
      return addSuccessors(world, situation, escalation, turn);
    default: {
      const next = anyLeg(world, situation, escalation, event, turn);
      if (next.name !== 'working' || next.legs.some((leg) => leg.step === next.step && isOpen(leg))) return next;
      attest(turn, { fact: 'stepOver', step: next.step + 1, because: 'everybodyFailed' });
      return startStep(world, situation, next, next.step + 1, [], turn);
    }
  }
}

function settling(
  world: World,
  situation: Situation,
  escalation: EscalationIn<'settling'>,
  event: CallEvent,
  turn: Turn,
): Escalation {
  const next = anyLeg(world, situation, escalation, event, turn);
  return next.name === 'settling' && !next.legs.some(isOpen) ? { ...next, name: 'exhausted' } : next;
}

function exhausted(
  situation: Situation,
  escalation: EscalationIn<'exhausted'>,
  event: CallEvent,
  turn: Turn,
): Escalation {
  return notAskedAnyMore(escalation, event, turn, (leg) =>
    // A challenge would talk over the greeting the caller hears by now; a desk phone needs none.
    leg.device === 'desk'
      ? accept(situation, escalation, leg, 'answeredDesk', turn)
      : hangUpLeg(escalation, leg, 'stepOver', turn),
  );
}

function bridging(
  world: World,
  situation: Situation,
  escalation: EscalationIn<'bridging'>,
  event: CallEvent,
  turn: Turn,
): Escalation {
  if (!('leg' in event) || event.leg !== escalation.winner) return takenAlready(escalation, event, turn);
  switch (event.type) {
    case 'bridged':
      attest(turn, { fact: 'bridged', leg: event.leg });
      return { ...escalation, name: 'talking', since: world.at };
    case 'bridgeFailed':
      attest(turn, { fact: 'legEnded', leg: event.leg, result: { kind: 'mediaLost' } });
      act(turn, { type: 'standDownLeg', leg: event.leg, because: 'notAccepted' });
      return rescue(world, situation, escalation, turn);
    case 'legEnded':
      // Also a BYE of the winner: nobody has spoken yet, so it is no end of a conversation.
      attest(turn, { fact: 'legEnded', leg: event.leg, result: endedBy(event.by) });
      return rescue(world, situation, escalation, turn);
    case 'legFailed':
      attest(turn, { fact: 'legEnded', leg: event.leg, result: event.result });
      return rescue(world, situation, escalation, turn);
    default:
      return escalation;
  }
}

function talking(
  world: World,
  situation: Situation,
  escalation: EscalationIn<'talking'>,
  event: CallEvent,
  turn: Turn,
): Escalation {
  if (!('leg' in event) || event.leg !== escalation.winner) return takenAlready(escalation, event, turn);
  switch (event.type) {
    case 'legEnded':
      attest(turn, { fact: 'legEnded', leg: event.leg, result: endedBy(event.by) });
      if (event.by === 'mediaLost' && situation.hasMedia) return rescue(world, situation, escalation, turn);
      return over(world, escalation, event.by === 'mediaLost' ? 'mediaLost' : 'calleeHungUp');
    case 'bridgeFailed':
      attest(turn, { fact: 'legEnded', leg: event.leg, result: { kind: 'mediaLost' } });
      act(turn, { type: 'standDownLeg', leg: event.leg, because: 'notAccepted' });
      // A caller who was connected directly has only that one phone.
      return situation.hasMedia ? rescue(world, situation, escalation, turn) : over(world, escalation, 'mediaLost');
    default:
      return escalation;
  }
}

function over(
  world: World,
  escalation: EscalationIn<'talking'>,
  cause: EscalationIn<'over'>['cause'],
): EscalationIn<'over'> {
  const talkedMs = world.at - escalation.since;
  return { ...withoutLeg(escalation, escalation.winner), name: 'over', cause, talkedMs };
}

/** What may happen to any leg while nobody has taken the call. */
function anyLeg(
  world: World,
  situation: Situation,
  escalation: EscalationIn<'working'> | EscalationIn<'settling'>,
  event: CallEvent,
  turn: Turn,
): Escalation {
  if (!('leg' in event)) return escalation;
  const leg = legOf(escalation, event.leg);
  if (leg === undefined) return escalation;
  switch (event.type) {
    case 'legRinging':
      if (leg.stage.name === 'ringing') attest(turn, { fact: 'legRinging', leg: leg.id, sipStatus: event.sipStatus });
      return escalation;
    case 'legAnswered':
      if (leg.stage.name !== 'ringing' && leg.stage.name !== 'stoodDown') return escalation;
      attest(turn, { fact: 'legAnswered', leg: leg.id, media: event.media });
      if (leg.device === 'desk') return accept(situation, escalation, leg, 'answeredDesk', turn);
      return challengeLeg(world, situation, escalation, leg, turn);
    case 'digitsGathered':
      if (leg.stage.name !== 'challenged' || leg.stage.token !== event.token) return escalation;
      return keyPressed(world, situation, escalation, leg, leg.stage, event.digits, turn);
    case 'answerHinted':
      return hinted(escalation, leg, event, turn);
    case 'challengeTimedOut':
      // The timer of an earlier challenge: this leg was taken back after the winner was lost.
      if (leg.stage.name !== 'challenged' || leg.stage.until !== event.until) return escalation;
      attest(turn, { fact: 'challengeAnswered', leg: leg.id, result: 'timeout' });
      return hangUpLeg(escalation, leg, 'notAccepted', turn);
    case 'legFailed':
      return (
        byNextTrunk(world, situation, escalation, { leg, result: event.result }, turn) ??
        leftover(escalation, leg, event, turn)
      );
    case 'promptFinished':
    case 'legEnded':
      return leftover(escalation, leg, event, turn);
    default:
      return escalation;
  }
}

/** Legs that lost. Everybody who answers now hears who took the call. */
function takenAlready(
  escalation: EscalationIn<'bridging'> | EscalationIn<'talking'>,
  event: CallEvent,
  turn: Turn,
): Escalation {
  const winner = legOf(escalation, escalation.winner);
  if (winner === undefined) return escalation;
  return notAskedAnyMore(escalation, event, turn, (leg) =>
    // "Taken by Dr Ames" is nothing that Dr Ames needs to hear on the other phone.
    leg.person === winner.person
      ? hangUpLeg(escalation, leg, 'takenElsewhere', turn)
      : dismiss(escalation, leg, winner, turn),
  );
}

/** What may still come from legs that were stood down; `answered` decides about an answer that crossed its CANCEL. */
function notAskedAnyMore(
  escalation: Escalation,
  event: CallEvent,
  turn: Turn,
  answered: (leg: EscalationLeg) => Escalation,
): Escalation {
  if (!('leg' in event)) return escalation;
  const leg = legOf(escalation, event.leg);
  if (leg === undefined) return escalation;
  switch (event.type) {
    case 'legAnswered':
      if (leg.stage.name !== 'stoodDown') return escalation;
      attest(turn, { fact: 'legAnswered', leg: leg.id, media: event.media });
      return answered(leg);
    case 'promptFinished':
    case 'legFailed':
    case 'legEnded':
      return leftover(escalation, leg, event, turn);
    default:
      return escalation;
  }
}

function stepTimedOut(world: World, situation: Situation, escalation: EscalationIn<'working'>, turn: Turn): Escalation {
  attest(turn, { fact: 'stepOver', step: escalation.step + 1, because: 'timeUp' });
  let next = escalation;
  for (const leg of escalation.legs) {
    if (leg.stage.name === 'ringing') next = standDownRinging(next, leg, 'stepOver', turn);
  }
  return startStep(world, situation, next, next.step + 1, [], turn);
}

const lost: readonly Prompt[] = [
  { say: 'id', id: 'im-sorry' },
  { say: 'id', id: 'one-moment-please' },
];

/**
 * The winner is gone and the caller is not. Whoever is still being told that the call was taken gets it after all; then
 * the chain goes on with the phones that only stopped because of the winner.
 */
function rescue(
  world: World,
  situation: Situation,
  escalation: EscalationIn<'bridging'> | EscalationIn<'talking'>,
  turn: Turn,
): Escalation {
  const here = escalation.legs.filter(({ stage }) => stage.name === 'dismissed');
  const spared = escalation.spared.filter((phone) => here.every((leg) => leg.phone !== phone));
  const tried = escalation.tried.filter((phone) => !spared.includes(phone));
  const { service, urgency, declined, step, round } = escalation;
  const legs = escalation.legs.filter(({ id }) => id !== escalation.winner);
  let rest: Escalation = { name: 'settling', service, urgency, legs, tried, declined, step, round };
  const desk = here.find(({ device }) => device === 'desk');
  if (desk) return accept(situation, rest, desk, 'answeredDesk', turn);
  for (const leg of here) rest = challengeLeg(world, situation, rest, leg, turn);
  return startStep(world, situation, rest, step, lost, turn);
}
