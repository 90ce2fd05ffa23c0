import type { Instant, Zone } from '../time/index.ts';
import type {
  CompiledRoster,
  DutyTier,
  OnCallAnswer,
  OnCallResult,
  Person,
  PersonId,
  RosterRule,
  ServiceId,
} from './model.ts';
import type { Shift } from './shifts.ts';

/** The shifts of one tier in the order of time, as `layOutShifts` makes them, and what it takes to speak of them. */
export interface TierShifts {
  readonly service: ServiceId;
  readonly tier: DutyTier;
  readonly zone: Zone;
  readonly rules: readonly RosterRule[];
  readonly shifts: readonly Shift[];
  person(id: PersonId): Person | undefined;
}

/** Who is on call at this instant: a binary search, and no date arithmetic. */
export function whoIsOnCall(tier: TierShifts, window: CompiledRoster['window'], at: Instant): OnCallResult {
  if (at < window.from || at >= window.to) return { kind: 'outsideWindow', ...window };
  const shift = shiftAt(tier.shifts, at);
  const person = shift && tier.person(shift.person);
  if (!shift || !person) return nobody(tier, at);
  return { kind: 'onCall', answer: answer(tier, shift, person) };
}

function shiftAt(shifts: readonly Shift[], at: Instant): Shift | undefined {
  let low = 0;
  let high = shifts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (shifts[middle]!.from <= at) low = middle + 1;
    else high = middle;
  }
  const shift = shifts[low - 1];
  return shift && at < shift.to ? shift : undefined;
}

function answer(tier: TierShifts, shift: Shift, person: Person): OnCallAnswer {
  const { from: since, to: until } = shift;
  return { person, tier: tier.tier, because: because(tier, shift), since, until };
}

function because(tier: TierShifts, shift: Shift): string {
  const rule = tier.rules[shift.rule]!;
  const layer = shift.rule === 0 ? '' : `layer ${shift.rule + 1}: `;
  if (rule.kind === 'always') return `${layer}always on call`;
  const since = rule.since.replace('T', ' ');
  return `${layer}${cadence(rule.everyDays)} since ${since}, on duty until ${tier.zone.show(shift.to)}`;
}

function cadence(everyDays: number): string {
  if (everyDays === 1) return 'daily rotation';
  if (everyDays === 7) return 'weekly rotation';
  return `rotation every ${everyDays} days`;
}

function nobody(tier: TierShifts, at: Instant): OnCallResult {
  const next = tier.shifts.find((shift) => shift.from > at);
  const because =
    tier.rules.length === 0
      ? `${tier.service} has no ${tier.tier}`
      : next === undefined
        ? `no rule names a ${tier.tier} of ${tier.service}`
        : `the ${tier.tier} rotation of ${tier.service} begins ${tier.zone.show(next.from)}`;
  return { kind: 'nobodyOnCall', service: tier.service, tier: tier.tier, because, until: next?.from };
}
