import type { Problems } from '../oncall/index.ts';
import { jumpsOf, nodesOf } from './find-loops.ts';
import type { PlanSource } from './model.ts';
import { placeOfRoute } from './place-of-route.ts';
import type { RouteTable } from './route-table.ts';
import type { Verb } from './verb.ts';
import { waysOn } from './verbs/index.ts';

/** Refuses what this version cannot do yet wherever a call could come to it; where none could, it may be prepared. */
export function checkReachable(source: PlanSource, routes: RouteTable, problems: Problems): void {
  const nodes = nodesOf(source);
  const seen = new Set<string>();
  const rest = source.routes.map(placeOfRoute);
  const look = (verb: Verb, at: string): void => {
    if (verb.verb === 'queue') {
      const remedy = `ring its members with a ring-group, or keep the flow out of every route until queues are served`;
      problems.add(`${at}.queue`, `calls cannot wait in the queue ${verb.queue} yet`, remedy);
    }
    rest.push(...jumpsOf(verb, source, routes));
    for (const way of waysOn(verb, at)) look(way.verb, way.at);
  };
  // Without recursion: a plan may have a long way through its flows.
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    const verb = nodes.get(node);
    if (verb === undefined || seen.has(node)) continue;
    seen.add(node);
    look(verb, node);
  }
}
