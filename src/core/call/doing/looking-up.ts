import type { CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type VerbOf } from '../state.ts';
import { act, attest, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';

/*
 *   lookingUp ── a known answer ──▶ its way
 *       └─ another answer, none, time is up ──▶ otherwise
 */

/** Asks a program which way the call goes. It may be told numbers; it can only choose between ways of the plan. */
export function lookUp(world: World, line: Line, verb: VerbOf<'lookup'>, path: string, turn: Turn): Going {
  const { url, waitMs, send } = world.plan.hook(verb.hook);
  const token = newToken(turn);
  const { from, callId } = line;
  const told: Record<string, string> = { call: callId };
  if (send.includes('dialled')) told['dialled'] = line.dialled;
  if (send.includes('site')) told['site'] = line.site;
  const extension = from.kind === 'phone' ? world.plan.extension(from.extension) : undefined;
  if (send.includes('unit') && extension?.unit !== undefined) told['unit'] = extension.unit;
  const isShown = send.includes('caller');
  if (isShown && from.kind === 'phone') told['caller'] = from.extension;
  const sendCaller = isShown && from.kind === 'trunk';
  attest(turn, {
    fact: 'lookupAsked',
    hook: verb.hook,
    told: [...Object.keys(told), ...(sendCaller ? ['caller'] : [])],
  });
  act(
    turn,
    { type: 'lookUp', token, hook: verb.hook, url, waitMs, told, sendCaller },
    { type: 'wakeMe', afterMs: waitMs, with: { type: 'lookupTimedOut', token } },
  );
  return { move: 'be', doing: { name: 'lookingUp', verb, path, token } };
}

export function lookingUp({ verb, path, token }: DoingOf<'lookingUp'>, event: CallEvent, turn: Turn): Move {
  const answered = (answer: string, because: string): Move => {
    attest(turn, { fact: 'lookupAnswered', hook: verb.hook, answer, because });
    const chosen = verb.answers[answer];
    if (chosen === undefined) return { move: 'enter', verb: verb.otherwise, path: `${path}.otherwise` };
    return { move: 'enter', verb: chosen, path: `${path}.answers.${answer}` };
  };
  switch (event.type) {
    case 'lookedUp':
      if (event.token !== token) return stay;
      if (event.answer === null) return answered('', event.why);
      // What a program says that the plan does not know may be anything, and goes no further.
      return Object.hasOwn(verb.answers, event.answer)
        ? answered(event.answer, '')
        : answered('', 'it is none of the answers in the plan');
    case 'lookupTimedOut':
      return event.token === token ? answered('', 'time is up') : stay;
    default:
      return stay;
  }
}
