import type { About, Decision } from '../dialplan/index.ts';
import type { ActiveVerb, Line } from './state.ts';
import { attest, type Turn } from './turn.ts';
import type { World } from './world.ts';

/** What the plan decides by in the middle of a call. */
export function aboutOf(world: World, { from, dialled, site, lists, urgency }: Line): About {
  const caller = from.kind === 'phone' ? from : { ...from, number: null };
  return { ...world.plan.about(caller, '', world.at), dialled, site, lists, urgency };
}

/** What a decision has made of it. */
export function learn(line: Line, { dialled, site, urgency }: About): Line {
  return { ...line, dialled, site, urgency };
}

/** What the plan said goes on record. */
export function decided({ verb, trace }: Decision, turn: Turn): ActiveVerb {
  attest(turn, { fact: 'decided', trace });
  return verb;
}

export function pathOf({ trace }: Decision, otherwise: string): string {
  return trace.at(-1)?.at ?? otherwise;
}
