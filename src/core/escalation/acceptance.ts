import { act, attest, type Turn } from '../call/turn.ts';
import { dismiss, hangUpLeg, isOpen, standDownRinging, withStage } from './legs.ts';
import type { Escalation, EscalationIn, EscalationLeg, Situation } from './model.ts';

/** The one place where a call is taken. Whoever comes first gets it; `bridging` answers everybody after that. */
export function accept(
  { hasMedia }: Situation,
  escalation: EscalationIn<'working'> | EscalationIn<'settling'> | EscalationIn<'exhausted'>,
  winner: EscalationLeg,
  how: 'answeredDesk' | 'pressedDigit',
  turn: Turn,
): Escalation {
  attest(turn, { fact: 'accepted', leg: winner.id, person: winner.person, how, step: winner.step + 1 });
  act(turn, { type: hasMedia ? 'bridge' : 'connectDirect', leg: winner.id });
  const { service, urgency, tried, declined, step, round } = escalation;
  const losers = escalation.legs.filter((leg) => leg.id !== winner.id && isOpen(leg));
  let taken: EscalationIn<'bridging'> = {
    name: 'bridging',
    service,
    urgency,
    tried,
    declined,
    step,
    round,
    legs: escalation.legs,
    winner: winner.id,
    spared: losers.map(({ phone }) => phone),
  };
  taken = withStage(taken, winner.id, { name: 'accepted' });
  for (const loser of losers) taken = lose(taken, loser, winner, turn);
  return taken;
}

function lose(
  taken: EscalationIn<'bridging'>,
  loser: EscalationLeg,
  winner: EscalationLeg,
  turn: Turn,
): EscalationIn<'bridging'> {
  if (loser.stage.name === 'ringing') return standDownRinging(taken, loser, 'takenElsewhere', turn);
  // Whoever was asked on the mobile has picked up the desk phone instead.
  if (loser.person === winner.person) return hangUpLeg(taken, loser, 'takenElsewhere', turn);
  attest(turn, { fact: 'challengeAnswered', leg: loser.id, result: 'tooLate' });
  return dismiss(taken, loser, winner, turn);
}
