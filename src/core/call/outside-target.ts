import type { CompiledPlan } from '../dialplan/index.ts';
import type { LegResult, LegTarget } from './events.ts';
import type { World } from './world.ts';

type NumberTarget = Extract<LegTarget, { kind: 'number' }>;

/** Trunks in the order in which they are tried. */
export interface Trunks {
  readonly trunk: string;
  readonly failover?: readonly string[];
}

/** An outside number by a trunk, as the trunk wants it to be sent. */
export function outsideTarget(plan: CompiledPlan, e164: string, { trunk, failover = [] }: Trunks): NumberTarget {
  const dial = plan.forTrunk(e164, trunk);
  return {
    kind: 'number',
    e164,
    trunk,
    ...(dial === e164 ? {} : { dial }),
    ...(failover.length === 0 ? {} : { failover }),
  };
}

/** The trunks from the first on that can be used; null: none can. `faults`: what is in the way of those before it. */
export function usableTrunks(
  world: Pick<World, 'trunkFault'>,
  { trunk, failover = [] }: Trunks,
): { readonly usable: Trunks | null; readonly faults: readonly { readonly trunk: string; readonly why: string }[] } {
  const faults: { trunk: string; why: string }[] = [];
  const inOrder = [trunk, ...failover];
  for (const [i, one] of inOrder.entries()) {
    const why = world.trunkFault(one);
    if (why === null) return { usable: { trunk: one, failover: inOrder.slice(i + 1) }, faults };
    faults.push({ trunk: one, why });
  }
  return { usable: null, faults };
}

/** The trunks that are left when the one that was tried could not take the call; null: it was not the trunk, or none is. */
export function nextTrunks(failover: readonly string[] | undefined, result: LegResult): Trunks | null {
  const [trunk, ...rest] = failover ?? [];
  if (trunk === undefined) return null;
  // 408 without ringing: nobody was there. After ringing it would be noAnswer.
  const isTrunk = result.kind === 'trunkUnavailable' || (result.kind === 'unreachable' && result.sipStatus === 408);
  return isTrunk ? { trunk, failover: rest } : null;
}
