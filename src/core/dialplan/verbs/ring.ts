import { checkTime, named, otherwise, seconds, type VerbRules } from './rules.ts';

/** Rings every phone of an extension. Without `otherwise` a failure is the plain ending of SIP: 486, 480. */
export const ring: VerbRules<'ring'> = {
  check(verb, at, names, problems) {
    if (!names.extensions.has(verb.extension)) {
      problems.unknown(`${at}.extension`, 'extension', verb.extension, names.extensions.keys());
    }
    checkTime(verb.forMs, `${at}.for`, problems);
  },
  ways: (verb, at) => otherwise(verb.otherwise, at),
  says(verb, plan) {
    const name = plan.extension(verb.extension)?.name;
    const after = verb.otherwise === null ? 'then tell the caller how it ended' : 'then go on';
    return `ring extension ${named(verb.extension, name)} for ${seconds(verb.forMs)}, ${after}`;
  },
};
