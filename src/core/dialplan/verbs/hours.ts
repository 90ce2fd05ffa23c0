import type { About, CompiledPlan } from '../model.ts';
import { zone } from '../../time/index.ts';
import { checkName, next, type Placed, type VerbOf, type VerbRules } from './rules.ts';

/** Two ways, by opening hours. */
export const hours: VerbRules<'hours'> = {
  check(verb, at, names, problems) {
    checkName('hours', verb.hours, names.hours, `${at}.during`, problems);
  },
  ways: (verb, at) => [next('open', verb.open, at), next('closed', verb.closed, at)],
  says: (verb, plan, about) => saysHours(verb.hours, plan, about),
  brief: ({ hours }) => `by opening hours ${hours}`,
};

export function byHours(verb: VerbOf<'hours'>, place: string, plan: CompiledPlan, { at }: About): Placed {
  const isOpen = plan.isOpen(verb.hours, at);
  return isOpen ? { verb: verb.open, at: `${place}.open` } : { verb: verb.closed, at: `${place}.closed` };
}

/** "office hours: closed at 2026-11-23 17:00" */
function saysHours(id: string, plan: CompiledPlan, { at }: About): string {
  const state = plan.isOpen(id, at) ? 'open' : 'closed';
  const day = plan.specialDay(id, at);
  return `${id} hours: ${state} at ${zone(plan.hoursZone(id)).show(at)}${day === null ? '' : `, ${day}`}`;
}
