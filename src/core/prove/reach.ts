import { type CompiledPlan, KEYED, placeOfRoute, type Verb, waysOn } from '../dialplan/index.ts';

/** What stands behind a verb, whatever phones, callers and clocks do. */

/** Every verb that a call could come to from here; flows and routes that are jumped to are gone into once. */
export function* verbsBehind(verb: Verb, plan: CompiledPlan, site: string, been = new Set<string>()): Generator<Verb> {
  yield verb;
  const jump = jumpOf(verb, plan, site);
  if (jump !== null && !been.has(jump.place)) {
    been.add(jump.place);
    yield* verbsBehind(jump.verb, plan, jump.site, been);
  }
  for (const way of waysOn(verb, '')) yield* verbsBehind(way.verb, plan, site, been);
}

function jumpOf(
  verb: Verb,
  plan: CompiledPlan,
  site: string,
): { readonly verb: Verb; readonly place: string; readonly site: string } | null {
  if (verb.verb === 'run') {
    const flow = plan.flow(verb.flow);
    return flow === undefined ? null : { verb: flow, place: `flows.${verb.flow}`, site };
  }
  // A number that is keyed is an entry of its own.
  if (verb.verb !== 'transfer' || verb.number === KEYED) return null;
  const route = plan.route(verb.number, 'inside', site);
  return route === undefined ? null : { verb: route.to, place: placeOfRoute(route), site };
}

/** Whether a call could come to a chain from here. */
export function leadsToChain(verb: Verb, plan: CompiledPlan, site: string): boolean {
  for (const { verb: word } of verbsBehind(verb, plan, site))
    if (word === 'escalate' || word === 'askUrgency') return true;
  return false;
}
