import type { Caller, OfferedAs, Party } from '../core/call/index.ts';
import { type CompiledPlan, HOME } from '../core/dialplan/index.ts';

/** Who calls, in the list of calls. */
export const HOUSE = 'wardline';

/** What a call of the house looks like: to the party, and in the list of calls, where nobody's own number stands. */
export function houseCall(
  plan: CompiledPlan,
  { person, target }: Party,
): { readonly caller: Caller; readonly offeredAs: OfferedAs; readonly dialled: string } {
  const isInside = target.kind === 'extension';
  const from: Caller['from'] = isInside
    ? { kind: 'phone', extension: target.extension }
    : { kind: 'trunk', trunk: target.trunk };
  return {
    caller: { from, number: null },
    offeredAs: {
      displayName: `${plan.source.site}: urgent message`,
      number: isInside ? plan.source.operator : plan.site(HOME).mainNumber,
      urgency: 'urgent',
    },
    dialled: isInside ? target.extension : person === '' ? 'outside' : person,
  };
}
