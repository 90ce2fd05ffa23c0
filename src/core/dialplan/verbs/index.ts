import type { Problems } from '../../oncall/index.ts';
import type { Instant } from '../../time/index.ts';
import type { CompiledPlan, Verb } from '../model.ts';
import { askUrgency } from './ask-urgency.ts';
import { escalate } from './escalate.ts';
import { hours } from './hours.ts';
import { menu } from './menu.ts';
import { operator } from './operator.ts';
import { refuse } from './refuse.ts';
import { ring } from './ring.ts';
import type { KnownNames, VerbRules, Way } from './rules.ts';
import { run } from './run.ts';
import { voicemail } from './voicemail.ts';

const rules: { readonly [K in Verb['verb']]: VerbRules<K> } = {
  ring,
  operator,
  escalate,
  askUrgency,
  menu,
  hours,
  voicemail,
  run,
  refuse,
};

// The table pairs each verb with its own rules; the compiler cannot follow that through an index, hence one cast.
function rulesOf(verb: Verb): VerbRules<Verb['verb']> {
  return rules[verb.verb] as VerbRules<Verb['verb']>;
}

export function checkVerb(verb: Verb, at: string, names: KnownNames, problems: Problems): void {
  rulesOf(verb).check(verb, at, names, problems);
}

export function waysOn(verb: Verb, at: string): readonly Way[] {
  return rulesOf(verb).ways(verb, at);
}

export function says(verb: Verb, plan: CompiledPlan, at: Instant): string {
  return rulesOf(verb).says(verb, plan, at);
}

export { byHours } from './hours.ts';
export { byFlow } from './run.ts';
export type { KnownNames, Placed, Way } from './rules.ts';
