import { nextTrunks, outsideTarget } from '../call/outside-target.ts';
import type { LegResult } from '../call/events.ts';
import { act, attest, newLeg, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import type { Escalation, EscalationLeg, Situation } from './model.ts';
import { offeredAs } from './start-step.ts';

/**
 * A trunk could not take the call: the same phone rings by the next one at once, within the time that its step has
 * left. null: it was not the trunk, or there is no other.
 */
export function byNextTrunk<E extends Escalation>(
  world: World,
  situation: Situation,
  escalation: E,
  { leg, result }: { readonly leg: EscalationLeg; readonly result: LegResult },
  turn: Turn,
): E | null {
  const trunks = leg.stage.name === 'ringing' ? nextTrunks(leg.failover, result) : null;
  if (trunks === null) return null;
  const target = outsideTarget(world.plan, leg.phone, trunks);
  const { failover: _, ...same } = leg;
  const again: EscalationLeg = {
    ...same,
    id: newLeg(turn),
    ...(target.failover === undefined ? {} : { failover: target.failover }),
  };
  attest(
    turn,
    { fact: 'legEnded', leg: leg.id, result },
    { fact: 'legRung', leg: again.id, person: leg.person, target },
  );
  act(turn, {
    type: 'ringLeg',
    leg: again.id,
    target,
    media: 'anchored',
    offeredAs: offeredAs(world, situation, escalation, leg.device),
  });
  return { ...escalation, legs: escalation.legs.map((one) => (one.id === leg.id ? again : one)) };
}
