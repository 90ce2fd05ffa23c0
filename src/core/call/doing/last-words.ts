import { NOT_IN_SERVICE, type Prompt } from '../../dialplan/index.ts';
import type { EndCause } from '../end-causes.ts';
import { CALLER } from '../events.ts';
import type { Doing } from '../state.ts';
import { act, newToken, type Turn } from '../turn.ts';

/** What an answered caller hears before the end. */
export function lastWords(words: readonly Prompt[], cause: EndCause, turn: Turn): Doing {
  const token = newToken(turn);
  // A plan without words for a refusal does not make it a silent one.
  const id = silentEndings[cause] ?? 'all-lines-failed';
  const prompts: readonly Prompt[] = words.length > 0 ? words : [{ say: 'id', id }];
  act(turn, { type: 'play', leg: CALLER, token, prompts, then: 'nothing' });
  return { name: 'saying', token, cause };
}

const silentEndings: Partial<Record<EndCause, string>> = {
  numberNotInService: NOT_IN_SERVICE,
  planNumberChanged: NOT_IN_SERVICE,
  planBusy: 'busy-here',
  planDeclined: 'goodbye',
  planGoodbye: 'goodbye',
};
