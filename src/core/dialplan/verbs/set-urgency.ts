import { showUrgency } from './escalate.ts';
import { next, type VerbRules } from './rules.ts';

/** Says how urgent the call is, for a `choose` by urgency further on. */
export const setUrgency: VerbRules<'setUrgency'> = {
  check: () => {},
  ways: (verb, at) => [next('then', verb.then, at)],
  says: ({ urgency }) => `the call is ${showUrgency(urgency)} from here on`,
  brief: ({ urgency }) => urgency,
};
