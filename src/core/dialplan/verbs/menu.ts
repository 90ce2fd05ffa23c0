import {
  checkKeys,
  checkPrompts,
  checkSaid,
  checkTime,
  checkTries,
  next,
  seconds,
  type VerbRules,
  waysOfCases,
} from './rules.ts';

/** Offers keys to the caller; a wrong key or none is asked again until the tries are used up. */
export const menu: VerbRules<'menu'> = {
  check(verb, at, names, problems) {
    checkSaid(verb.prompts, `${at}.say`, 'the menu', problems);
    checkPrompts(verb.greeting, `${at}.greeting`, names, problems);
    checkPrompts(verb.prompts, `${at}.say`, names, problems);
    checkPrompts(verb.wrongKey, `${at}.wrong-key`, names, problems);
    checkPrompts(verb.noKey, `${at}.no-key`, names, problems);
    checkKeys(verb.keys, `${at}.keys`, problems);
    checkTime(verb.noKeyMs, `${at}.wait`, problems, 60_000);
    checkTries(verb.tries, `${at}.tries`, problems);
  },
  ways: (verb, at) => [...waysOfCases('keys', verb.keys, at, true), next('otherwise', verb.otherwise, at)],
  says(verb) {
    const keys = Object.keys(verb.keys).join(', ');
    const patience = `no key for ${seconds(verb.noKeyMs)} or a wrong one ${verb.tries === 1 ? 'leads on' : `is asked again, ${verb.tries} times in all`}`;
    return `offer the menu ${verb.id} with keys ${keys}; ${patience}`;
  },
  brief: ({ id }) => `menu ${id}`,
};
