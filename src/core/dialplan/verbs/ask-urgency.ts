import { showUrgency } from './escalate.ts';
import { checkKeys, checkPrompts, checkService, checkTime, seconds, type VerbRules } from './rules.ts';

/** Asks how urgent it is; no key is an answer too. */
export const askUrgency: VerbRules<'askUrgency'> = {
  check(verb, at, names, problems) {
    checkService(verb.service, `${at}.service`, names, problems);
    checkPrompts(verb.prompts, `${at}.say`, names, problems);
    checkKeys(verb.keys, `${at}.keys`, problems);
    checkTime(verb.noKeyMs, `${at}.wait`, problems, 60_000);
  },
  // The chains behind the keys are those of the service; the roster has checked them.
  ways: () => [],
  says(verb) {
    const keys = Object.entries(verb.keys).map(([key, urgency]) => `${key} ${showUrgency(urgency)}`);
    const noKey = `no key for ${seconds(verb.noKeyMs)} means ${showUrgency(verb.noKey)}`;
    return `ask how urgent it is for ${verb.service}: ${keys.join(', ')}; ${noKey}`;
  },
  brief: ({ service }) => `${service}, ask how urgent`,
};
