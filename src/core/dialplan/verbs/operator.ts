import { checkTime, named, otherwise, seconds, type VerbRules } from './rules.ts';

/** Rings the operator of the site. */
export const operator: VerbRules<'operator'> = {
  check(verb, at, _names, problems) {
    checkTime(verb.forMs, `${at}.for`, problems);
  },
  ways: (verb, at) => otherwise(verb.otherwise, at),
  says(verb, plan) {
    const { operator } = plan.source;
    return `ring the operator, extension ${named(operator, plan.extension(operator)?.name)}, for ${seconds(verb.forMs)}`;
  },
};
