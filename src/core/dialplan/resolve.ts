import type { Instant } from '../time/index.ts';
import { never } from '../never.ts';
import {
  type About,
  type CompiledPlan,
  type Decision,
  HOME,
  nothingKnown,
  type TakenRoute,
  type TraceLine,
} from './model.ts';
import { placeOfRoute } from './place-of-route.ts';
import type { ActingVerb, DecidingVerb, Verb } from './verb.ts';
import { byCase, byFlow, byHours, byNumber, type Placed, says } from './verbs/index.ts';

export interface Dialled {
  readonly dialled: string;
  readonly from: 'inside' | 'trunk';
  readonly at: Instant;
  /** Without it: a phone of the home site of which nothing else is known. */
  readonly about?: About;
}

/**
 * What the plan does with a call that dialled this number, at this instant. A number that no route names is refused,
 * also every outside number: a plan that lets phones dial out has to say so.
 */
export function resolve(plan: CompiledPlan, { dialled, from, at, about }: Dialled): Decision {
  const route = plan.route(dialled, from, about === undefined ? HOME : about.site);
  if (!route) {
    // The number itself is left out: it may be a patient's.
    const says = `the number dialled from ${WHENCE[from]} is in no route; refuse: the number is not in service`;
    return { verb: unknownNumber, trace: [{ at: 'routes', says }], about: about ?? nothingKnown(at) };
  }
  if (!isDeciding(route.to)) return new Straight(plan, route, route.to, dialled, from, at, about);
  const now = onRoute(route, about ?? nothingKnown(at));
  const decision = resolveVerb(plan, route.to, at, placeOfRoute(route), now);
  return { ...decision, trace: [arrived(route, dialled, from), ...decision.trace] };
}

/**
 * Of a route that leads to a verb that acts. What the call does not wait for is made when it is read: garbage that a
 * decision leaves pushes out of the processor's cache what the next one needs.
 */
class Straight implements Decision {
  readonly verb: ActingVerb;
  readonly #plan: CompiledPlan;
  readonly #route: TakenRoute;
  readonly #dialled: string;
  readonly #from: Dialled['from'];
  readonly #at: Instant;
  readonly #about: About | undefined;

  constructor(
    plan: CompiledPlan,
    route: TakenRoute,
    verb: ActingVerb,
    dialled: string,
    from: Dialled['from'],
    at: Instant,
    about: About | undefined,
  ) {
    this.verb = verb;
    this.#plan = plan;
    this.#route = route;
    this.#dialled = dialled;
    this.#from = from;
    this.#at = at;
    this.#about = about;
  }

  get about(): About {
    return onRoute(this.#route, this.#about ?? nothingKnown(this.#at));
  }

  get trace(): readonly TraceLine[] {
    const told = { at: placeOfRoute(this.#route), says: says(this.verb, this.#plan, this.about) };
    return [arrived(this.#route, this.#dialled, this.#from), told];
  }
}

/** A route of one site says where the call is. */
function onRoute({ site }: TakenRoute, about: About): About {
  return site === undefined ? about : { ...about, site };
}

function arrived(route: TakenRoute, dialled: string, from: Dialled['from']): TraceLine {
  const what = route.number === dialled ? dialled : `a number that fits ${route.number}`;
  return { at: placeOfRoute(route), says: `${what} was dialled from ${WHENCE[from]}` };
}

const WHENCE = { inside: 'a phone of the house', trunk: 'outside' } as const;

/** Goes on from a verb in the plan, for instance behind a menu key. `place` is its dotted place, for the trace. */
export function resolveVerb(
  plan: CompiledPlan,
  verb: Verb,
  at: Instant,
  place: string,
  about: About = nothingKnown(at),
): Decision {
  const trace: TraceLine[] = [];
  let here: Placed = { verb, at: place };
  let now = about;
  // Ends: the compiler refuses a plan in which deciding verbs lead back to where they came from.
  for (;;) {
    trace.push({ at: here.at, says: says(here.verb, plan, now) });
    if (!isDeciding(here.verb)) return { verb: here.verb, trace, about: now };
    if (here.verb.verb === 'setUrgency') now = { ...now, urgency: here.verb.urgency };
    if (here.verb.verb === 'transfer') now = { ...now, dialled: here.verb.number };
    here = follow(here.verb, here.at, plan, now);
  }
}

function isDeciding(verb: Verb): verb is DecidingVerb {
  switch (verb.verb) {
    case 'run':
    case 'hours':
    case 'choose':
    case 'setUrgency':
    case 'transfer':
      return true;
    default:
      return false;
  }
}

function follow(verb: DecidingVerb, at: string, plan: CompiledPlan, about: About): Placed {
  switch (verb.verb) {
    case 'run':
      return byFlow(verb, plan);
    case 'hours':
      return byHours(verb, at, plan, about);
    case 'choose':
      return byCase(verb, at, plan, about);
    case 'transfer':
      return byNumber(verb, plan, about.site) ?? { verb: unknownNumber, at };
    case 'setUrgency':
      return { verb: verb.then, at: `${at}.then` };
    default:
      return never(verb);
  }
}

/** Without words: an inside phone shows the 404 by itself, and an answer for a stranger on the trunk would cost money. */
const unknownNumber: ActingVerb = { verb: 'refuse', cause: 'numberNotInService', prompts: [] };

/** What a caller who is connected already hears. Every set of prompts has it; `compilePlan` insists. */
export const NOT_IN_SERVICE = 'number-not-in-service';
