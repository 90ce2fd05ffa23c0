import type { CallFact } from '../audit/facts.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import { phi } from '../phi/index.ts';
import type { Caller } from './events.ts';

export interface Arrival {
  readonly caller: Caller;
  readonly dialled: string;
  readonly peer: string;
  readonly sipCallId: string;
}

/** The first fact of every call, also of one that is refused at the door. */
export function arrivedFact(
  plan: CompiledPlan,
  { caller, dialled, peer, sipCallId }: Arrival,
): Extract<CallFact, { fact: 'arrived' }> {
  const { from, number } = caller;
  const isOurs = plan.route(dialled, originOf(caller)) !== undefined || plan.extension(dialled) !== undefined;
  return {
    fact: 'arrived',
    from: from.kind === 'phone' ? from.extension : `trunk ${from.trunk}`,
    number,
    // A number that is not ours may be a patient's.
    dialled: isOurs ? dialled : phi(dialled),
    peer,
    sipCallId,
  };
}

export function originOf({ from }: Caller): 'inside' | 'trunk' {
  return from.kind === 'phone' ? 'inside' : 'trunk';
}
