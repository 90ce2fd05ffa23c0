import { checkPrompts, checkSaid, next, promptWords, type VerbRules } from './rules.ts';

/** Says digits, letters and names, put together from recordings, then goes on. */
export const say: VerbRules<'say'> = {
  check(verb, at, names, problems) {
    checkSaid(verb.prompts, `${at}.what`, 'it', problems);
    checkPrompts(verb.prompts, `${at}.what`, names, problems);
  },
  ways: (verb, at) => [next('then', verb.then, at)],
  says: ({ prompts }) => `say ${promptWords(prompts)}`,
  brief: ({ prompts }) => `say ${promptWords(prompts)}`,
};
