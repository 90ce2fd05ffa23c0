import { checkPrompts, type VerbRules } from './rules.ts';

/** Ends the call with a cause; with prompts the caller is told first. */
export const refuse: VerbRules<'refuse'> = {
  check(verb, at, names, problems) {
    checkPrompts(verb.prompts, `${at}.say`, names, problems);
  },
  ways: () => [],
  says: (verb) =>
    verb.cause === 'numberNotInService' ? 'refuse: the number is not in service' : 'refuse: the plan does not allow it',
};
