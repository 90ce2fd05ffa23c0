import { checkKeys, checkPrompts, checkTime, seconds, type VerbRules } from './rules.ts';

const MAX_TRIES = 10;

/** Offers keys to the caller; a wrong key or none is asked again until the tries are used up. */
export const menu: VerbRules<'menu'> = {
  check(verb, at, names, problems) {
    if (verb.prompts.length === 0) {
      problems.add(`${at}.say`, 'the menu says nothing', 'name the prompt that tells the keys');
    }
    checkPrompts(verb.greeting, `${at}.greeting`, names, problems);
    checkPrompts(verb.prompts, `${at}.say`, names, problems);
    checkPrompts(verb.wrongKey, `${at}.wrong-key`, names, problems);
    checkPrompts(verb.noKey, `${at}.no-key`, names, problems);
    checkKeys(verb.keys, `${at}.keys`, problems);
    checkTime(verb.noKeyMs, `${at}.wait`, problems, 60_000);
    if (!Number.isInteger(verb.tries) || verb.tries < 1 || verb.tries > MAX_TRIES) {
      problems.add(`${at}.tries`, `a menu offered ${verb.tries} times`, `use 1 to ${MAX_TRIES}`);
    }
  },
  ways: (verb, at) => [
    ...Object.entries(verb.keys).map(([key, next]) => ({ verb: next, at: `${at}.keys.${key}`, byKey: true })),
    { verb: verb.otherwise, at: `${at}.otherwise`, byKey: false },
  ],
  says(verb) {
    const keys = Object.keys(verb.keys).join(', ');
    const patience = `no key for ${seconds(verb.noKeyMs)} or a wrong one is asked again, ${verb.tries} times in all`;
    return `offer the menu ${verb.id} with keys ${keys}; ${patience}`;
  },
};
