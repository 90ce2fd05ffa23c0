import { CALLER, type CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Move, stay, type VerbOf } from '../state.ts';
import { act, newToken, type Turn } from '../turn.ts';

/** Says something to the caller and goes on when it is said. */
export function announce(verb: VerbOf<'play'> | VerbOf<'say'>, path: string, turn: Turn): Going {
  const token = newToken(turn);
  const times = verb.verb === 'play' ? verb.times : 1;
  const prompts = Array.from({ length: times }, () => verb.prompts).flat();
  act(turn, { type: 'play', leg: CALLER, token, prompts, then: 'nothing' });
  return { move: 'be', doing: { name: 'announcing', verb: verb.then, path: `${path}.then`, token } };
}

export function announcing(doing: DoingOf<'announcing'>, event: CallEvent): Move {
  if (event.type !== 'promptFinished' || event.leg !== CALLER || event.token !== doing.token) return stay;
  return { move: 'enter', verb: doing.verb, path: doing.path };
}
