import type { Problems } from '../oncall/index.ts';
import type { PlanSource, Verb } from './model.ts';
import { waysOn } from './verbs/index.ts';

/**
 * Finds flows that come back to themselves without the caller pressing a key: such a call would never end.
 * A way behind a menu key may lead back; each turn of it needs the caller's hand.
 */
export function findLoops(source: PlanSource, problems: Problems): void {
  const cleared = new Set<string>();
  for (const flow of Object.keys(source.flows)) walk(flow, [], source, cleared, problems);
}

interface Jump {
  readonly flow: string;
  readonly at: string;
}

function walk(
  flow: string,
  path: readonly string[],
  source: PlanSource,
  cleared: Set<string>,
  problems: Problems,
): void {
  if (cleared.has(flow)) return;
  // A flow may have the name of something that every object has.
  const verb = Object.hasOwn(source.flows, flow) ? source.flows[flow] : undefined;
  if (verb === undefined) return;
  const trail = [...path, flow];
  for (const jump of jumpsWithoutKey(verb, `flows.${flow}`)) {
    const start = trail.indexOf(jump.flow);
    if (start >= 0) {
      const round = [...trail.slice(start), jump.flow].join(' -> ');
      problems.add(jump.at, `the flows run in a circle: ${round}`, 'let one of them end at a person or a mailbox');
    } else {
      walk(jump.flow, trail, source, cleared, problems);
    }
  }
  cleared.add(flow);
}

function jumpsWithoutKey(verb: Verb, at: string): Jump[] {
  if (verb.verb === 'run') return [{ flow: verb.flow, at: `${at}.run` }];
  return waysOn(verb, at).flatMap((way) => (way.byKey ? [] : jumpsWithoutKey(way.verb, way.at)));
}
