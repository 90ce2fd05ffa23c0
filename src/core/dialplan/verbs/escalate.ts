import type { Urgency } from '../../oncall/index.ts';
import { checkService, type VerbRules } from './rules.ts';

/** Works down the chain of a service until somebody takes the call. */
export const escalate: VerbRules<'escalate'> = {
  check(verb, at, names, problems) {
    checkService(verb.service, `${at}.service`, names, problems);
  },
  ways: () => [],
  says: (verb) => `work down the ${showUrgency(verb.urgency)} chain of ${verb.service}`,
  brief: ({ service, urgency }) => `${service}, ${urgency}`,
};

export function showUrgency(urgency: Urgency): string {
  return urgency === 'stat' ? 'STAT' : urgency;
}
