import { urgencies } from '../../oncall/index.ts';
import type { About, CompiledPlan } from '../model.ts';
import type { ChoiceBy } from '../verb.ts';
import { checkName, type KnownNames, next, type Placed, type VerbOf, type VerbRules, waysOfCases } from './rules.ts';

/** One way of several, by who calls, from where, by when or by how urgent it is; the first case that is true. */
export const choose: VerbRules<'choose'> = {
  check(verb, at, names, problems) {
    const known = knownBy(verb.by, names);
    for (const name of Object.keys(verb.cases)) {
      checkName(kinds[verb.by], name, known, `${at}.cases.${name}`, problems);
    }
    if (Object.keys(verb.cases).length === 0) {
      problems.add(`${at}.cases`, 'there is nothing to choose from', 'add a case, or write what stands in otherwise');
    }
  },
  ways: (verb, at) => [...waysOfCases('cases', verb.cases, at), next('otherwise', verb.otherwise, at)],
  says(verb, plan, about) {
    const found = caseOf(verb, plan, about);
    const { by } = verb;
    if (by === 'hours') return found === null ? 'by hours: none of these is open' : `by hours: ${found} is open`;
    const is = found ?? (by === 'caller' ? 'in none of these lists' : 'none of these');
    return by === 'caller' && found !== null ? `by caller: in the list ${is}` : `by ${by}: ${is}`;
  },
  brief: ({ by }) => `by ${by}`,
};

export function byCase(verb: VerbOf<'choose'>, place: string, plan: CompiledPlan, about: About): Placed {
  const found = caseOf(verb, plan, about);
  if (found === null) return { verb: verb.otherwise, at: `${place}.otherwise` };
  return { verb: verb.cases[found]!, at: `${place}.cases.${found}` };
}

function caseOf(verb: VerbOf<'choose'>, plan: CompiledPlan, about: About): string | null {
  return Object.keys(verb.cases).find((name) => isTrue(verb.by, name, plan, about)) ?? null;
}

function isTrue(by: ChoiceBy, name: string, plan: CompiledPlan, about: About): boolean {
  if (by === 'hours') return plan.isOpen(name, about.at);
  return by === 'caller' ? about.lists.includes(name) : about[by] === name;
}

const kinds: Readonly<Record<ChoiceBy, string>> = {
  caller: 'caller list',
  unit: 'unit',
  facility: 'facility',
  site: 'site',
  trunk: 'trunk',
  hours: 'hours',
  urgency: 'urgency',
};

function knownBy(by: ChoiceBy, names: KnownNames): ReadonlyMap<string, unknown> | ReadonlySet<string> {
  switch (by) {
    case 'caller':
      return names.callers;
    case 'unit':
      return names.units;
    case 'facility':
      return names.facilities;
    case 'site':
      return names.sites;
    case 'trunk':
      return names.trunks;
    case 'hours':
      return names.hours;
    default:
      return new Set<string>(urgencies);
  }
}
