import type { Problems } from '../../oncall/index.ts';
import type { About, CompiledPlan } from '../model.ts';
import type { Verb } from '../verb.ts';
import { askUrgency } from './ask-urgency.ts';
import { choose } from './choose.ts';
import { escalate } from './escalate.ts';
import { forward } from './forward.ts';
import { gather } from './gather.ts';
import { hangUp } from './hang-up.ts';
import { hours } from './hours.ts';
import { lookup } from './lookup.ts';
import { mailbox } from './mailbox.ts';
import { menu } from './menu.ts';
import { operator } from './operator.ts';
import { play } from './play.ts';
import { queue } from './queue.ts';
import { refuse } from './refuse.ts';
import { ringGroup } from './ring-group.ts';
import { ring } from './ring.ts';
import type { KnownNames, VerbRules, Way } from './rules.ts';
import { run } from './run.ts';
import { say } from './say.ts';
import { setUrgency } from './set-urgency.ts';
import { transfer } from './transfer.ts';
import { voicemail } from './voicemail.ts';

const rules: { readonly [K in Verb['verb']]: VerbRules<K> } = {
  ring,
  ringGroup,
  operator,
  forward,
  queue,
  escalate,
  askUrgency,
  menu,
  gather,
  play,
  say,
  lookup,
  voicemail,
  mailbox,
  hangUp,
  refuse,
  hours,
  run,
  transfer,
  choose,
  setUrgency,
};

// The table pairs each verb with its own rules; the compiler cannot follow that through an index, hence one cast.
function rulesOf(verb: Verb): VerbRules<Verb['verb']> {
  return rules[verb.verb] as VerbRules<Verb['verb']>;
}

export function checkVerb(verb: Verb, at: string, names: KnownNames, problems: Problems): void {
  rulesOf(verb).check(verb, at, names, problems);
}

/** Every way on from a verb that is written behind it; `run` and `transfer` lead to what is written elsewhere. */
export function waysOn(verb: Verb, at: string): readonly Way[] {
  return rulesOf(verb).ways(verb, at);
}

export function says(verb: Verb, plan: CompiledPlan, about: About): string {
  return rulesOf(verb).says(verb, plan, about);
}

/** In as few words as the record of a menu needs. */
export function brief(verb: Verb): string {
  return rulesOf(verb).brief(verb);
}

export { byCase } from './choose.ts';
export { byHours } from './hours.ts';
export { byFlow } from './run.ts';
export type { KnownNames, Placed, Way } from './rules.ts';
export { byNumber } from './transfer.ts';
