import type { Problems } from '../oncall/index.ts';
import type { PlanSource } from './model.ts';
import { placeOfRoute } from './place-of-route.ts';
import type { RouteTable } from './route-table.ts';
import { KEYED, type Verb } from './verb.ts';
import { waysOn } from './verbs/index.ts';

/** A flow or a route, by its dotted place, and what stands there. */
export type Nodes = ReadonlyMap<string, Verb>;

export function nodesOf(source: PlanSource): Nodes {
  return new Map([
    ...Object.entries(source.flows).map(([id, verb]): [string, Verb] => [`flows.${id}`, verb]),
    ...source.routes.map((route): [string, Verb] => [placeOfRoute(route), route.to]),
  ]);
}

interface FindsRoute {
  route(dialled: string, from: 'inside', site?: string): Parameters<typeof placeOfRoute>[0] | undefined;
}

/** Where a `run` or a `transfer` leads, whichever site the call belongs to. */
export function jumpsOf(verb: Verb, source: PlanSource, routes: FindsRoute | null): readonly string[] {
  if (verb.verb === 'run') return [`flows.${verb.flow}`];
  if (verb.verb !== 'transfer' || verb.number === KEYED || routes === null) return [];
  const sites = [undefined, ...(source.sites ?? []).map(({ id }) => id)];
  const found = sites.map((site) => routes.route(verb.number, 'inside', site));
  return [...new Set(found.flatMap((route) => (route ? [placeOfRoute(route)] : [])))];
}

/**
 * Finds flows that come back to themselves without the caller pressing a key: such a call would never end.
 * A way behind a menu key may lead back; each turn of it needs the caller's hand.
 */
export function findLoops(source: PlanSource, routes: RouteTable | null, problems: Problems): void {
  const nodes = nodesOf(source);
  const cleared = new Set<string>();
  for (const node of nodes.keys()) walk(node, [], { source, nodes, routes, cleared }, problems);
}

/** One behind the other without a key between. Nobody could follow that. */
const MAX_TRAIL = 200;

interface Walk {
  readonly source: PlanSource;
  readonly nodes: Nodes;
  readonly routes: RouteTable | null;
  readonly cleared: Set<string>;
}

function walk(node: string, path: readonly string[], all: Walk, problems: Problems): void {
  if (all.cleared.has(node)) return;
  const verb = all.nodes.get(node);
  if (verb === undefined) return;
  const trail = [...path, node];
  if (trail.length > MAX_TRAIL) {
    const remedy = 'let them run each other in fewer steps';
    problems.add(node, `a call would run through more than ${MAX_TRAIL} flows`, remedy, { on: 'key' });
    return;
  }
  for (const { to, at } of jumpsWithoutKey(verb, node, all)) {
    const start = trail.indexOf(to);
    if (start >= 0) {
      const round = [...trail.slice(start), to].map((place) => place.replace(/^(flows|routes)\./, '')).join(' -> ');
      problems.add(at, `the flows run in a circle: ${round}`, 'let one of them end at a person or a mailbox');
    } else {
      walk(to, trail, all, problems);
    }
  }
  all.cleared.add(node);
}

interface Jump {
  readonly to: string;
  readonly at: string;
}

function jumpsWithoutKey(verb: Verb, at: string, all: Walk): Jump[] {
  const word = verb.verb === 'run' ? 'run' : 'to';
  const own = jumpsOf(verb, all.source, all.routes).map((to) => ({ to, at: `${at}.${word}` }));
  const further = waysOn(verb, at).flatMap((way) => (way.byKey ? [] : jumpsWithoutKey(way.verb, way.at, all)));
  return [...own, ...further];
}
