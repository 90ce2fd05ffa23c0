import type { CompiledPlan } from '../dialplan/index.ts';
import type { LegTarget } from './events.ts';

/** An outside number by a trunk, as the trunk wants it to be sent. */
export function outsideTarget(plan: CompiledPlan, e164: string, trunk: string): Extract<LegTarget, { kind: 'number' }> {
  const dial = plan.forTrunk(e164, trunk);
  return { kind: 'number', e164, trunk, ...(dial === e164 ? {} : { dial }) };
}
