import { checkPrompts, checkSaid, next, promptWords, type VerbRules } from './rules.ts';

const MAX_TIMES = 10;

/** Plays recordings to their end, then goes on. */
export const play: VerbRules<'play'> = {
  check(verb, at, names, problems) {
    checkSaid(verb.prompts, `${at}.prompt`, 'it', problems);
    checkPrompts(verb.prompts, `${at}.prompt`, names, problems);
    if (verb.times < 1 || verb.times > MAX_TIMES) {
      problems.add(`${at}.times`, `played ${verb.times} times`, `use 1 to ${MAX_TIMES}`);
    }
  },
  ways: (verb, at) => [next('then', verb.then, at)],
  says: ({ prompts, times }) => `play ${promptWords(prompts)}${times === 1 ? '' : `, ${times} times`}`,
  brief: ({ prompts }) => `play ${promptWords(prompts)}`,
};
