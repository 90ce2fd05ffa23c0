import { parsePattern, patternFaults } from '../patterns/index.ts';
import { addPatternFaults } from '../pattern-problems.ts';
import { checkPrompts, checkSaid, checkTime, checkTries, next, seconds, type VerbRules, waysOfCases } from './rules.ts';

const MAX_DIGITS = 24;

/** Asks for digits; what fits none of the patterns, or none at all, is asked again until the tries are used up. */
export const gather: VerbRules<'gather'> = {
  check(verb, at, names, problems) {
    checkSaid(verb.prompts, `${at}.say`, 'the question', problems);
    checkPrompts(verb.prompts, `${at}.say`, names, problems);
    checkPrompts(verb.wrong, `${at}.wrong`, names, problems);
    checkTime(verb.noKeyMs, `${at}.wait`, problems, 60_000);
    checkTries(verb.tries, `${at}.tries`, problems);
    if (verb.maxDigits < 1 || verb.maxDigits > MAX_DIGITS) {
      problems.add(`${at}.most`, `${verb.maxDigits} digits`, `use 1 to ${MAX_DIGITS}`);
    }
    const patterns = Object.keys(verb.digits);
    if (patterns.length === 0) problems.add(`${at}.digits`, 'no digits lead anywhere', 'add a pattern: "2xxx": …');
    addPatternFaults(
      patternFaults(patterns),
      (i) => `${at}.digits.${patterns[i]}`,
      (i) => patterns[i]!,
      problems,
    );
    for (const text of patterns) {
      const pattern = parsePattern(text);
      const shortest = 'wrong' in pattern ? 0 : Math.min(...pattern.rows.map(({ length }) => length));
      if (shortest <= verb.maxDigits) continue;
      const remedy = `let most be ${shortest}, or shorten the pattern`;
      problems.add(
        `${at}.digits.${text}`,
        `${text} needs more than the ${verb.maxDigits} digits that are asked for`,
        remedy,
        {
          on: 'key',
        },
      );
    }
  },
  ways: (verb, at) => [...waysOfCases('digits', verb.digits, at, true), next('otherwise', verb.otherwise, at)],
  says(verb) {
    const patterns = Object.keys(verb.digits).join(', ');
    const patience = `none for ${seconds(verb.noKeyMs)} or others ${verb.tries === 1 ? 'lead on' : `are asked for again, ${verb.tries} times in all`}`;
    return `ask for digits (${patterns}); ${patience}`;
  },
  brief: ({ id }) => `digits of ${id}`,
};
