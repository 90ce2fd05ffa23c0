import { DIALLED } from '../verb.ts';
import { afterwards } from './ring.ts';
import { checkE164, checkName, checkTime, otherwise, seconds, type VerbRules } from './rules.ts';

/** Rings an outside number by a trunk; whoever answers there is connected, also a machine. */
export const forward: VerbRules<'forward'> = {
  check(verb, at, names, problems) {
    if (verb.to !== DIALLED) checkE164(verb.to, `${at}.to`, problems);
    for (const trunk of [verb.trunk, ...(verb.failover ?? [])]) {
      checkName('trunk', trunk, names.trunks, `${at}.by`, problems);
    }
    checkTime(verb.forMs, `${at}.for`, problems);
  },
  ways: (verb, at) => otherwise(verb.otherwise, at),
  says(verb) {
    // The number that was dialled may be a patient's; what the plan itself names is the hospital's.
    const to = verb.to === DIALLED ? 'the number dialled' : verb.to;
    const trunks = [verb.trunk, ...(verb.failover ?? [])].join(', then ');
    return `forward to ${to} by trunk ${trunks} for ${seconds(verb.forMs)}, ${afterwards(verb)}`;
  },
  brief: ({ to }) => (to === DIALLED ? 'the number dialled' : `forward to ${to}`),
};
