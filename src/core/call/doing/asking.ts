import { NOTHING_KEYED } from '../../audit/index.ts';
import { brief, type Prompt, whereKeyed } from '../../dialplan/index.ts';
import { phi } from '../../phi/index.ts';
import { CALLER, type CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type VerbOf } from '../state.ts';
import { act, attest, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';

/** Questions to the caller: the menu of a patient line, how urgent it is, and numbers to be keyed. */

/** A wrong key is asked again; after that it counts as none, so that nobody is kept from a doctor by a keypad. */
const urgencyTries = 3;

export function menu(verb: VerbOf<'menu'>, path: string, turn: Turn): Going {
  return offerMenu(verb, path, 1, [...verb.greeting, ...verb.prompts], turn);
}

export function inMenu(doing: DoingOf<'menu'>, event: CallEvent, turn: Turn): Move {
  if (event.type !== 'digitsGathered' || event.leg !== CALLER || event.token !== doing.token) return stay;
  const { verb, path, attempt } = doing;
  const key = event.digits;
  const chosen = Object.hasOwn(verb.keys, key) ? verb.keys[key] : undefined;
  attest(turn, { fact: 'keyPressed', menu: verb.id, key, meaning: chosen ? brief(chosen) : noMeaning(key) });
  if (chosen) return { move: 'enter', verb: chosen, path: `${path}.keys.${key}` };
  if (attempt >= verb.tries) return { move: 'enter', verb: verb.otherwise, path: `${path}.otherwise` };
  return offerMenu(verb, path, attempt + 1, [...(key === '' ? verb.noKey : verb.wrongKey), ...verb.prompts], turn);
}

export function gather(verb: VerbOf<'gather'>, path: string, turn: Turn): Going {
  return askDigits(verb, path, 1, verb.prompts, turn);
}

export function gathering(world: World, line: Line, doing: DoingOf<'gathering'>, event: CallEvent, turn: Turn): Move {
  if (event.type !== 'digitsGathered' || event.leg !== CALLER || event.token !== doing.token) return stay;
  const { verb, path, attempt } = doing;
  const { digits } = event;
  const found = whereKeyed(world.plan, verb, digits, line.site);
  const unknown = digits === '' ? NOTHING_KEYED : 'they lead nowhere';
  const meaning = found === null ? unknown : brief(verb.digits[found.pattern]!);
  attest(turn, { fact: 'digitsKeyed', gather: verb.id, digits: phi(digits), meaning });
  if (found !== null) return { move: 'enter', verb: found.verb, path: `${path}.digits.${found.pattern}` };
  if (attempt >= verb.tries) return { move: 'enter', verb: verb.otherwise, path: `${path}.otherwise` };
  return askDigits(verb, path, attempt + 1, [...verb.wrong, ...verb.prompts], turn);
}

export function askUrgency(verb: VerbOf<'askUrgency'>, path: string, turn: Turn): Going {
  return offerUrgencies(verb, path, 1, verb.prompts, turn);
}

export function askingUrgency(doing: DoingOf<'askingUrgency'>, event: CallEvent, turn: Turn): Move {
  if (event.type !== 'digitsGathered' || event.leg !== CALLER || event.token !== doing.token) return stay;
  const { verb, path, attempt } = doing;
  const key = event.digits;
  const chosen = Object.hasOwn(verb.keys, key) ? verb.keys[key] : undefined;
  const isLast = key === '' || attempt >= urgencyTries;
  const urgency = chosen ?? (isLast ? verb.noKey : null);
  const meaning = chosen ?? (urgency ? `${noMeaning(key)}: ${urgency}` : noMeaning(key));
  attest(turn, { fact: 'keyPressed', menu: 'urgency', key, meaning });
  if (urgency === null) {
    return offerUrgencies(verb, path, attempt + 1, [{ say: 'id', id: 'wrong-key' }, ...verb.prompts], turn);
  }
  return {
    move: 'enter',
    verb: { verb: 'escalate', service: verb.service, urgency },
    path: `${path}.keys.${chosen ? key : 'none'}`,
  };
}

function offerMenu(verb: VerbOf<'menu'>, path: string, attempt: number, prompts: readonly Prompt[], turn: Turn): Going {
  const token = ask(prompts, 1, verb.noKeyMs, attempt, turn);
  return { move: 'be', doing: { name: 'menu', verb, path, attempt, token } };
}

function offerUrgencies(
  verb: VerbOf<'askUrgency'>,
  path: string,
  attempt: number,
  prompts: readonly Prompt[],
  turn: Turn,
): Going {
  const token = ask(prompts, 1, verb.noKeyMs, attempt, turn);
  return { move: 'be', doing: { name: 'askingUrgency', verb, path, attempt, token } };
}

function askDigits(
  verb: VerbOf<'gather'>,
  path: string,
  attempt: number,
  prompts: readonly Prompt[],
  turn: Turn,
): Going {
  const token = ask(prompts, verb.maxDigits, verb.noKeyMs, attempt, turn);
  return { move: 'be', doing: { name: 'gathering', verb, path, attempt, token } };
}

function ask(prompts: readonly Prompt[], maxDigits: number, waitMs: number, attempt: number, turn: Turn): number {
  const token = newToken(turn);
  act(turn, { type: 'gather', leg: CALLER, token, prompts, maxDigits, waitMs, isAgain: attempt > 1 });
  return token;
}

function noMeaning(key: string): string {
  return key === '' ? 'no key' : 'no such key';
}
