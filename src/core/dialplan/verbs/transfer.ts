import type { CompiledPlan } from '../model.ts';
import { KEYED } from '../verb.ts';
import { checkBehindGather, type Placed, type VerbOf, type VerbRules } from './rules.ts';

/** Goes on as if an inside phone had dialled another number of the plan. */
export const transfer: VerbRules<'transfer'> = {
  check(verb, at, names, problems) {
    const place = `${at}.to`;
    if (verb.number === KEYED) return checkBehindGather(place, problems);
    if (names.isRouted(verb.number)) return;
    problems.add(
      place,
      `${verb.number} is in no route from inside`,
      'name a number that a phone of the house can dial',
    );
  },
  // The route is checked where it is defined; `findLoops` follows it.
  ways: () => [],
  says({ number }, plan, { site }) {
    // Behind a gather it is what the caller keyed, which may be a patient's number; a number of the plan is not.
    const route = plan.route(number, 'inside', site)?.number;
    const what =
      route === undefined ? 'a number in no route' : route === number ? number : `a number that fits ${route}`;
    return `go on as if ${what} had been dialled`;
  },
  brief: ({ number }) => (number === KEYED ? 'the number keyed' : number),
};

/** null when no route of an inside phone takes the number, which can happen with one that was keyed. */
export function byNumber({ number }: VerbOf<'transfer'>, plan: CompiledPlan, site: string): Placed | null {
  const route = plan.route(number, 'inside', site);
  return route === undefined ? null : { verb: route.to, at: `routes.${route.number}` };
}
