import { checkName, next, seconds, type VerbRules, waysOfCases } from './rules.ts';

/** Asks a program of the house which of the ways that the plan names the call shall take. */
export const lookup: VerbRules<'lookup'> = {
  check(verb, at, names, problems) {
    checkName('hook', verb.hook, names.hooks, `${at}.hook`, problems);
    if (Object.keys(verb.answers).length === 0) {
      problems.add(`${at}.answers`, 'no answer leads anywhere', 'name the answers that the program may give');
    }
  },
  ways: (verb, at) => [...waysOfCases('answers', verb.answers, at), next('otherwise', verb.otherwise, at)],
  says(verb, plan) {
    const { waitMs } = plan.hook(verb.hook);
    const answers = Object.keys(verb.answers).join(', ');
    return `ask ${verb.hook} (${answers}), for ${seconds(waitMs)} at most`;
  },
  brief: ({ hook }) => `ask ${hook}`,
};
