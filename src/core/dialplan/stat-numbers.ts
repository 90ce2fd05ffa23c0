import { eachOf, type Work } from '../steps/index.ts';
import { nodesOf } from './find-loops.ts';
import type { PlanSource } from './model.ts';
import { placeOfRoute } from './place-of-route.ts';
import { KEYED, type Verb } from './verb.ts';
import { waysOn } from './verbs/index.ts';

/**
 * The numbers that lead to a STAT chain without anybody pressing a key, as routes are written; patterns are not among
 * them. A menu that offers one is no STAT number: most of its callers want something else.
 */
export function* statNumbers(source: PlanSource): Work<readonly string[]> {
  const nodes = nodesOf(source);
  const known = new Map<string, boolean>();
  const isStat = (node: string): boolean => {
    const before = known.get(node);
    if (before !== undefined) return before;
    // A circle leads nowhere new; the compiler refuses those that no key breaks.
    known.set(node, false);
    const verb = nodes.get(node);
    const found = verb !== undefined && leadsToStat(verb, node, isStat);
    known.set(node, found);
    return found;
  };
  const numbers = new Set<string>();
  yield* eachOf(source.routes, (route) => {
    if (oneNumber.test(route.number) && isStat(placeOfRoute(route))) numbers.add(route.number);
  });
  return [...numbers];
}

const oneNumber = /^\+?[0-9*#]+$/;

function leadsToStat(verb: Verb, at: string, isStat: (node: string) => boolean): boolean {
  if ((verb.verb === 'escalate' || verb.verb === 'setUrgency') && verb.urgency === 'stat') return true;
  if (verb.verb === 'run') return isStat(`flows.${verb.flow}`);
  if (verb.verb === 'transfer') return verb.number !== KEYED && isStat(`routes.${verb.number}`);
  return waysOn(verb, at).some((way) => !way.byKey && leadsToStat(way.verb, way.at, isStat));
}
