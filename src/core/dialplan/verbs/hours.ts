import type { Instant } from '../../time/index.ts';
import { zone } from '../../time/index.ts';
import type { CompiledPlan } from '../model.ts';
import type { Placed, VerbOf, VerbRules } from './rules.ts';

/** Two ways, by the opening hours at the site. */
export const hours: VerbRules<'hours'> = {
  check(verb, at, names, problems) {
    if (!names.hours.has(verb.hours)) problems.unknown(`${at}.during`, 'hours', verb.hours, names.hours.keys());
  },
  ways: (verb, at) => [
    { verb: verb.open, at: `${at}.open`, byKey: false },
    { verb: verb.closed, at: `${at}.closed`, byKey: false },
  ],
  says(verb, plan, at) {
    const state = plan.isOpen(verb.hours, at) ? 'open' : 'closed';
    return `${verb.hours} hours: ${state} at ${zone(plan.source.zone).show(at)}`;
  },
};

export function byHours(verb: VerbOf<'hours'>, place: string, plan: CompiledPlan, at: Instant): Placed {
  const isOpen = plan.isOpen(verb.hours, at);
  return isOpen ? { verb: verb.open, at: `${place}.open` } : { verb: verb.closed, at: `${place}.closed` };
}
