import type { CallFact } from '../audit/facts.ts';
import type { CompiledPlan, PlanCaller } from '../dialplan/index.ts';
import { phi } from '../phi/index.ts';
import type { Instant } from '../time/index.ts';
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
  // The time says nothing about a number.
  const about = plan.about(planCaller(caller), dialled, 0 as Instant);
  // A number that only fits a pattern is any number.
  const route = plan.route(about.dialled, originOf(caller), about.site);
  const isOurs = route?.number === about.dialled || plan.extension(dialled) !== undefined;
  const isHouseNumber = isOurs || (from.kind === 'phone' && shortNumber.test(dialled));
  return {
    fact: 'arrived',
    from: from.kind === 'phone' ? from.extension : `trunk ${from.trunk}`,
    number,
    // A number that is not ours may be a patient's.
    dialled: isHouseNumber ? dialled : phi(dialled),
    peer,
    sipCallId,
  };
}

/** What an inside phone dials with so few digits is a number of the house, or a slip, but nobody's telephone. */
const shortNumber = /^[\d*#]{1,6}$/;

/** The calling number is looked up in the caller lists of the plan, and not kept. */
export function planCaller({ from, number }: Caller): PlanCaller {
  return from.kind === 'phone' ? from : { ...from, number: number === null ? null : number.reveal() };
}

export function originOf({ from }: Caller): 'inside' | 'trunk' {
  return from.kind === 'phone' ? 'inside' : 'trunk';
}
