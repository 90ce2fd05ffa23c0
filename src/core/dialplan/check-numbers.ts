import { isId, type Problems } from '../oncall/index.ts';
import { ANONYMOUS, HOME, type PlanSource } from './model.ts';
import { sitesOf } from './known-names.ts';
import { addPatternFaults } from './pattern-problems.ts';
import { patternFaults } from './patterns/index.ts';
import type { Translation } from './translate.ts';
import type { KnownNames } from './verbs/index.ts';
import { checkName } from './verbs/rules.ts';

const MAX_RULES = 200;
const MAX_LISTS = 64;

/** Caller lists and the translations of sites and trunks: every pattern in them. */
export function checkNumbers(source: PlanSource, names: KnownNames, problems: Problems): void {
  for (const { id, dialling } of sitesOf(source)) {
    checkTranslations(dialling, `${id === HOME ? 'site' : `sites.${id}`}.dialling`, problems);
  }
  for (const { trunk, incoming, outgoing } of source.trunks ?? []) {
    checkName('trunk', trunk, names.trunks, `trunks.${trunk}`, problems);
    checkTranslations(incoming, `trunks.${trunk}.incoming`, problems);
    checkTranslations(outgoing, `trunks.${trunk}.outgoing`, problems);
  }
  const lists = source.callers ?? [];
  if (lists.length > MAX_LISTS) {
    problems.add(`callers.${lists[MAX_LISTS]!.id}`, `${lists.length} lists of callers`, `use at most ${MAX_LISTS}`);
  }
  for (const { id, numbers } of lists) {
    const at = `callers.${id}`;
    checkWord(id, at, problems);
    if (numbers.length === 0) problems.add(at, `nobody is in the list ${id}`, 'add a number');
    const patterns = numbers.flatMap((text, i) => (text === ANONYMOUS ? [] : [{ text, at: `${at}.${i}` }]));
    const faults = patternFaults(patterns.map(({ text }) => text));
    addPatternFaults(
      faults,
      (i) => patterns[i]!.at,
      (i) => patterns[i]!.text,
      problems,
    );
  }
}

/** Cases stand in the order of the document; names that are numbers would not. */
export function checkWord(id: string, at: string, problems: Problems): void {
  if (!isId(id)) problems.add(at, `"${id}" cannot be an id`, 'use small letters, digits and hyphens, at most 64', KEY);
  else if (/^[0-9]+$/.test(id)) problems.add(at, `"${id}" is a number, not a name`, 'begin with a letter', KEY);
}

const KEY = { on: 'key' } as const;

function checkTranslations(rules: readonly Translation[], at: string, problems: Problems): void {
  if (rules.length > MAX_RULES) problems.add(at, `${rules.length} translations`, `use at most ${MAX_RULES}`);
  const patterns = rules.map(({ pattern }) => pattern);
  addPatternFaults(
    patternFaults(patterns),
    (i) => `${at}.${patterns[i]}`,
    (i) => patterns[i]!,
    problems,
  );
  for (const { pattern, strip, add } of rules) {
    if (!/^\+?[0-9*#]{0,15}$/.test(add)) {
      problems.add(
        `${at}.${pattern}.add`,
        `"${add}" cannot be put before a number`,
        'use digits, with + in front for E.164',
      );
    }
    if (strip >= 0 && strip <= 15) continue;
    problems.add(`${at}.${pattern}.strip`, `${strip} digits to be left out`, 'use 0 to 15');
  }
}
