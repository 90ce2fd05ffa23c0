import { type Escalation, standDownAll, startEscalation } from '../../escalation/index.ts';
import { isMessageUrgent } from '../../voicemail/index.ts';
import type { Going, Line, VerbOf } from '../state.ts';
import { attest, type Turn } from '../turn.ts';
import type { World } from '../world.ts';
import { greet } from './message.ts';

const operatorMs = 60_000;

export function escalate(world: World, line: Line, verb: VerbOf<'escalate'>, path: string, turn: Turn): Going {
  if (world.roster.service(verb.service) === undefined) {
    // Plan and roster are separate documents; between two activations a service may be missing. A human is not.
    attest(turn, {
      fact: 'decided',
      trace: [{ at: path, says: `no service ${verb.service} in the roster: operator` }],
    });
    return { move: 'enter', verb: { verb: 'operator', forMs: operatorMs, otherwise: null }, path: `${path}.operator` };
  }
  return onEscalation(line, startEscalation(world, line, verb, turn), turn);
}

export function onEscalation(line: Line, escalation: Escalation, turn: Turn): Going {
  switch (escalation.name) {
    case 'exhausted':
      return line.hasMedia ? { move: 'leaveMessage', after: escalation } : nobodyWithoutMedia(escalation, turn);
    case 'talking':
      return { move: 'beAnswered', doing: { name: 'escalating', escalation } };
    case 'over':
      standDownAll(escalation, 'callOver', turn);
      return { move: 'end', cause: escalation.cause, isCallerGone: false, talkedMs: escalation.talkedMs };
    default:
      return { move: 'be', doing: { name: 'escalating', escalation } };
  }
}

/** No message can be left either. A phone that shows "no answer" says what happened, unless none could be rung. */
function nobodyWithoutMedia(escalation: Escalation, turn: Turn): Going {
  attest(turn, { fact: 'nobodyAccepted', service: escalation.service });
  standDownAll(escalation, 'callOver', turn);
  const cause = escalation.tried.length > 0 ? 'noAnswer' : 'mediaUnavailable';
  return { move: 'end', cause, isCallerGone: false, talkedMs: 0 };
}

export function leaveMessage(world: World, after: Escalation, turn: Turn): Going {
  const service = world.roster.service(after.service);
  const urgent = isMessageUrgent(service?.chains[after.urgency], after.urgency);
  attest(turn, { fact: 'nobodyAccepted', service: after.service });
  return greet(world, { mailbox: service?.mailbox ?? after.service, urgent, greeting: [] }, after, turn);
}
