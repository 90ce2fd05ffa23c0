import { HOME } from '../model.ts';
import { checkName, checkTime, named, otherwise, seconds, type VerbRules } from './rules.ts';

/** Rings the operator of a site. */
export const operator: VerbRules<'operator'> = {
  check(verb, at, names, problems) {
    checkTime(verb.forMs, `${at}.for`, problems);
    if (verb.site !== undefined) checkName('site', verb.site, names.sites, `${at}.site`, problems);
  },
  ways: (verb, at) => otherwise(verb.otherwise, at),
  says(verb, plan) {
    const { operator, name } = plan.site(verb.site ?? HOME);
    const whose = plan.sites().length === 1 ? 'the operator' : `the operator of ${name}`;
    return `ring ${whose}, extension ${named(operator, plan.extension(operator)?.name)}, for ${seconds(verb.forMs)}`;
  },
  brief: () => 'operator',
};
