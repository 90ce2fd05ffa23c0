import type { ServiceId } from '../oncall/index.ts';
import { jumpsOf, nodesOf } from './find-loops.ts';
import type { CompiledPlan } from './model.ts';
import { placeOfRoute } from './place-of-route.ts';
import type { Verb } from './verb.ts';
import { waysOn } from './verbs/index.ts';

export interface LostWays {
  /** Numbers that led to whoever is on call, and do no more; "0@north" is one that only a site has. */
  readonly numbers: readonly string[];
  /** Services that no number leads to any more. */
  readonly services: readonly ServiceId[];
}

/**
 * What a change of plans takes away from those who call for help. It may be meant; a proof says nothing of it, since a
 * number that leads to nobody on call has nothing to prove.
 */
export function lostWays(before: CompiledPlan, after: CompiledPlan): LostWays {
  const [then, now] = [waysIn(before), waysIn(after)];
  return {
    numbers: [...then.numbers].filter((number) => !now.numbers.has(number)),
    services: [...then.services].filter((service) => !now.services.has(service)),
  };
}

interface Ways {
  readonly numbers: ReadonlySet<string>;
  readonly services: ReadonlySet<ServiceId>;
}

/** Numbers that lead to a service in whatever way, and the services that they lead to. */
function waysIn(plan: CompiledPlan): Ways {
  const nodes = nodesOf(plan.source);
  const leadsTo = new Map<string, { readonly services: readonly ServiceId[]; readonly jumps: readonly string[] }>();
  const comesFrom = new Map<string, string[]>();
  for (const [node, verb] of nodes) {
    const parts = partsOf(verb);
    const jumps = parts.flatMap((part) => jumpsOf(part, plan.source, plan));
    leadsTo.set(node, { services: parts.flatMap(serviceOf), jumps });
    for (const to of jumps) comesFrom.set(to, [...(comesFrom.get(to) ?? []), node]);
  }
  const clinical = [...leadsTo].filter(([, { services }]) => services.length > 0).map(([node]) => node);
  const leading = reached(clinical, (node) => comesFrom.get(node) ?? []);
  const routes = plan.source.routes.map(placeOfRoute);
  const called = reached(routes, (node) => leadsTo.get(node)?.jumps ?? []);
  return {
    numbers: new Set(routes.filter((route) => leading.has(route)).map((route) => route.slice('routes.'.length))),
    services: new Set([...called].flatMap((node) => leadsTo.get(node)?.services ?? [])),
  };
}

/** A verb, and all that is written behind it. */
function partsOf(verb: Verb): readonly Verb[] {
  return [verb, ...waysOn(verb, '').flatMap((way) => partsOf(way.verb))];
}

function serviceOf(verb: Verb): readonly ServiceId[] {
  return verb.verb === 'escalate' || verb.verb === 'askUrgency' ? [verb.service] : [];
}

function reached(from: readonly string[], next: (node: string) => readonly string[]): ReadonlySet<string> {
  const seen = new Set(from);
  // Whatever is added is looked at, too.
  for (const node of seen) for (const further of next(node)) seen.add(further);
  return seen;
}
