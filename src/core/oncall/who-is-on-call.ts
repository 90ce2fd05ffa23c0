import { type Instant, instant } from '../time/index.ts';
import type { CompiledRoster, OnCallAnswer, OnCallResult } from './model.ts';
import { nextBeginning, shiftAt, shiftIn, type TierShifts } from './tier-shifts.ts';

/** Who is on call at this instant: an index look-up, and no date arithmetic. */
export function whoIsOnCall(tier: TierShifts, window: CompiledRoster['window'], at: Instant): OnCallResult {
  if (at < window.from || at >= window.to) return { kind: 'outsideWindow', ...window };
  const shift = shiftAt(tier.rows, at);
  return shift === 0 ? nobody(tier, at) : { kind: 'onCall', answer: answer(tier, shift) };
}

function answer(tier: TierShifts, shift: number): OnCallAnswer {
  const { from, to, rule, person } = shiftIn(tier, shift);
  const [since, until] = [instant(from), instant(to)];
  const because = rule.isDated ? rule.says + tier.zone.show(until) : rule.says;
  return { person, tier: tier.tier, because, since, until };
}

function nobody({ service, tier, rules, rows, zone }: TierShifts, at: Instant): OnCallResult {
  const next = nextBeginning(rows, at);
  const because =
    rules.length === 0
      ? `${service} has no ${tier}`
      : next === undefined
        ? `no rule names a ${tier} of ${service}`
        : `the ${tier} rotation of ${service} begins ${zone.show(instant(next))}`;
  return { kind: 'nobodyOnCall', service, tier, because, until: next === undefined ? undefined : instant(next) };
}
