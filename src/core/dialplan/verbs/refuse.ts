import { checkPrompts, type VerbRules } from './rules.ts';

/**
 * Ends the call with a cause. The prompts are for callers whose phone would show nothing: outside callers, and whoever
 * is connected already, behind a menu key. An inside phone that dials a refused number gets the SIP status and shows it.
 */
export const refuse: VerbRules<'refuse'> = {
  check(verb, at, names, problems) {
    checkPrompts(verb.prompts, `${at}.say`, names, problems);
  },
  ways: () => [],
  says: (verb) =>
    verb.cause === 'numberNotInService' ? 'refuse: the number is not in service' : 'refuse: the plan does not allow it',
  brief: () => 'refuse',
};
