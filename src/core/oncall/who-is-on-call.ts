import { type Instant, instant } from '../time/index.ts';
import type { CompiledRoster, OnCallAnswer, OnCallResult } from './model.ts';
import { shiftAt, type TierShifts } from './tier-shifts.ts';

/** Who is on call at this instant: an index look-up, and no date arithmetic. */
export function whoIsOnCall(tier: TierShifts, window: CompiledRoster['window'], at: Instant): OnCallResult {
  if (at < window.from || at >= window.to) return { kind: 'outsideWindow', ...window };
  const shift = shiftAt(tier, at);
  return shift < 0 ? nobody(tier, at) : { kind: 'onCall', answer: answer(tier, shift) };
}

function answer(tier: TierShifts, shift: number): OnCallAnswer {
  const person = tier.people[tier.holder[shift]!]!;
  const [since, until] = [instant(tier.from[shift]!), instant(tier.to[shift]!)];
  return { person, tier: tier.tier, because: because(tier, shift), since, until };
}

function because({ rules, rule, to, zone }: TierShifts, shift: number): string {
  const position = rule[shift]!;
  const by = rules[position]!;
  const layer = position === 0 ? '' : `layer ${position + 1}: `;
  if (by.kind === 'always') return `${layer}always on call`;
  const since = by.since.replace('T', ' ');
  return `${layer}${cadence(by.everyDays)} since ${since}, on duty until ${zone.show(instant(to[shift]!))}`;
}

function cadence(everyDays: number): string {
  if (everyDays === 1) return 'daily rotation';
  if (everyDays === 7) return 'weekly rotation';
  return `rotation every ${everyDays} days`;
}

function nobody({ service, tier, rules, from, zone }: TierShifts, at: Instant): OnCallResult {
  const next = from.find((start) => start > at);
  const because =
    rules.length === 0
      ? `${service} has no ${tier}`
      : next === undefined
        ? `no rule names a ${tier} of ${service}`
        : `the ${tier} rotation of ${service} begins ${zone.show(instant(next))}`;
  return { kind: 'nobodyOnCall', service, tier, because, until: next === undefined ? undefined : instant(next) };
}
