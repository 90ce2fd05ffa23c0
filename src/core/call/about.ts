import type { About } from '../dialplan/index.ts';
import type { Line } from './state.ts';
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
