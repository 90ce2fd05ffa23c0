import type { CallEvent } from '../events.ts';
import { type ActiveVerb, type DoingOf, type Line, type Move, stay } from '../state.ts';
import { attest, type Turn } from '../turn.ts';

/** An inside phone shows a refusal by itself; an outside caller would only hear what some carrier makes of it. */
export function needsAnswer(line: Line, verb: ActiveVerb): boolean {
  switch (verb.verb) {
    case 'refuse':
    case 'hangUp':
      return line.from.kind === 'trunk' && verb.prompts.length > 0;
    case 'ring':
    case 'ringGroup':
    case 'operator':
    case 'forward':
    case 'queue':
    case 'lookup':
      return false;
    default:
      return true;
  }
}

/** The caller's 200 is on its way. */
export function answering(doing: DoingOf<'answering'>, event: CallEvent, turn: Turn): Move {
  switch (event.type) {
    case 'callerAnswered':
      attest(turn, { fact: 'callerAnswered', media: event.media });
      return { move: 'begin', verb: doing.verb, path: doing.path };
    case 'callerAnswerFailed':
      return { move: 'doWithout', verb: doing.verb, path: doing.path, why: event.why };
    default:
      return stay;
  }
}
