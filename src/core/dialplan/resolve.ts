import type { Instant } from '../time/index.ts';
import type { CompiledPlan, Decision, TraceLine, Verb } from './model.ts';
import { byFlow, byHours, says } from './verbs/index.ts';

export interface Dialled {
  readonly dialled: string;
  readonly from: 'inside' | 'trunk';
  readonly at: Instant;
}

/**
 * What the plan does with a call that dialled this number, at this instant. A number that no route names is refused,
 * also every outside number: a plan that lets phones dial out has to say so.
 */
export function resolve(plan: CompiledPlan, { dialled, from, at }: Dialled): Decision {
  const whence = from === 'inside' ? 'a phone of the house' : 'outside';
  const route = plan.route(dialled, from);
  if (!route) {
    // The number itself is left out: it may be a patient's.
    const says = `the number dialled from ${whence} is in no route; refuse: the number is not in service`;
    return { verb: unknownNumber, trace: [{ at: 'routes', says }] };
  }
  const place = `routes.${route.number}`;
  const arrived: TraceLine = { at: place, says: `${route.number} was dialled from ${whence}` };
  const { verb, trace } = resolveVerb(plan, route.to, at, place);
  return { verb, trace: [arrived, ...trace] };
}

/** Goes on from a verb in the plan, for instance behind a menu key. `place` is its dotted place, for the trace. */
export function resolveVerb(plan: CompiledPlan, verb: Verb, at: Instant, place: string): Decision {
  const trace: TraceLine[] = [];
  let here = { verb, at: place };
  // Ends: the compiler refuses a plan in which run and hours lead back to where they came from.
  for (;;) {
    trace.push({ at: here.at, says: says(here.verb, plan, at) });
    if (here.verb.verb === 'run') here = byFlow(here.verb, plan);
    else if (here.verb.verb === 'hours') here = byHours(here.verb, here.at, plan, at);
    else return { verb: here.verb, trace };
  }
}

/** Without words: an inside phone shows the 404 by itself, and an answer for a stranger on the trunk would cost money. */
const unknownNumber: Decision['verb'] = { verb: 'refuse', cause: 'numberNotInService', prompts: [] };

/** What a caller who is connected already hears. Every set of prompts has it; `compilePlan` insists. */
export const NOT_IN_SERVICE = 'number-not-in-service';
