import { KEYED } from '../verb.ts';
import { checkExtension, checkTime, named, otherwise, seconds, type VerbRules } from './rules.ts';

/** Rings every phone of an extension. Without `otherwise` a failure is the plain ending of SIP: 486, 480. */
export const ring: VerbRules<'ring'> = {
  check(verb, at, names, problems) {
    checkExtension(verb.extension, `${at}.extension`, names, problems);
    checkTime(verb.forMs, `${at}.for`, problems);
  },
  ways: (verb, at) => otherwise(verb.otherwise, at),
  says(verb, plan) {
    const name = plan.extension(verb.extension)?.name;
    return `ring extension ${named(verb.extension, name)} for ${seconds(verb.forMs)}, ${afterwards(verb)}`;
  },
  brief: ({ extension }) => (extension === KEYED ? 'ring the extension keyed' : `ring ${extension}`),
};

export function afterwards({ otherwise }: { readonly otherwise: unknown }): string {
  return otherwise === null ? 'then tell the caller how it ended' : 'then go on';
}
