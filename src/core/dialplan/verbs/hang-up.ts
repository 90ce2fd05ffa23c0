import type { PlannedEnding } from '../verb.ts';
import { checkPrompts, type VerbRules } from './rules.ts';

/** Ends the call with a cause of telephony. Who hears the prompts: as for `refuse`. */
export const hangUp: VerbRules<'hangUp'> = {
  check(verb, at, names, problems) {
    checkPrompts(verb.prompts, `${at}.say`, names, problems);
  },
  ways: () => [],
  says: (verb) => `hang up: ${endingWords[verb.cause]}`,
  brief: ({ cause }) => `hang up, ${endingWords[cause]}`,
};

/** In words. */
const endingWords: Readonly<Record<PlannedEnding, string>> = {
  planBusy: 'busy',
  planCongested: 'congestion',
  planNumberChanged: 'number changed',
  planDeclined: 'declined',
  planGoodbye: 'goodbye',
};
