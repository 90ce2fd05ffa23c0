import { afterwards } from './ring.ts';
import { checkName, otherwise, seconds, type VerbRules } from './rules.ts';

/** Rings the phones of a group until one is picked up. Without `otherwise` a failure is the plain ending of SIP. */
export const ringGroup: VerbRules<'ringGroup'> = {
  check(verb, at, names, problems) {
    checkName('group', verb.group, names.groups, `${at}.group`, problems);
  },
  ways: (verb, at) => otherwise(verb.otherwise, at),
  says(verb, plan) {
    const { name, members, order, forMs } = plan.group(verb.group);
    const how = {
      all: `all at once for ${seconds(forMs)}`,
      sequential: `one after the other, ${seconds(forMs)} each`,
      roundRobin: `in turn, ${seconds(forMs)} each, beginning with the one after who was first last time`,
    };
    return `ring the group ${name} (${members.join(', ')}) ${how[order]}, ${afterwards(verb)}`;
  },
  brief: ({ group }) => `group ${group}`,
};
