import type { CallEvent } from './events.ts';
import type { Doing } from './state.ts';
import { act, attest, type Turn } from './turn.ts';

/** An answer of a leg that nobody waits for any more: it crossed its CANCEL. */
export function isStray(doing: Doing, event: CallEvent): event is Extract<CallEvent, { type: 'legAnswered' }> {
  if (event.type !== 'legAnswered') return false;
  switch (doing.name) {
    case 'ringing':
    case 'talking':
      return doing.leg !== event.leg;
    case 'ringingGroup':
      return doing.ringing.every(({ leg }) => leg !== event.leg);
    case 'escalating':
      return doing.escalation.legs.every((leg) => leg.id !== event.leg);
    case 'greeting':
      return doing.late === null || doing.late.legs.every((leg) => leg.id !== event.leg);
    default:
      return true;
  }
}

export function sendAway({ leg, media }: Extract<CallEvent, { type: 'legAnswered' }>, turn: Turn): Turn {
  attest(turn, { fact: 'legAnswered', leg, media }, { fact: 'legEnded', leg, result: { kind: 'stoodDown' } });
  act(turn, { type: 'standDownLeg', leg, because: 'stepOver' });
  return turn;
}
