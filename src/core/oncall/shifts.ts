import type { Instant, Span, Zone } from '../time/index.ts';
import { holderOf, turnsWithin } from './hand-offs.ts';
import type { PersonId, RosterRule } from './model.ts';

/** From hand-off to hand-off: who holds a tier, and by which of its rules (position in the list). */
export interface Shift extends Span {
  readonly person: PersonId;
  readonly rule: number;
}

/**
 * Lays the rules of one tier out as shifts that touch the window: sorted, never overlapping, without gap wherever a
 * rule names somebody. The first rule that names somebody answers; a later one only fills what is left open.
 * Shifts keep their true ends also outside the window; what has no end of its own ends with the window.
 */
export function layOutShifts(rules: readonly RosterRule[], zone: Zone, window: Span): Shift[] {
  const shifts: Shift[] = [];
  let open: readonly Span[] = [window];
  for (const [rule, layer] of rules.entries()) {
    const stillOpen: Span[] = [];
    for (const gap of open) {
      const filled = shiftsOfRule(layer, rule, zone, gap, window);
      shifts.push(...filled);
      stillOpen.push(...leftOpen(gap, filled));
    }
    open = stillOpen;
  }
  return shifts.sort((a, b) => a.from - b.from);
}

function shiftsOfRule(layer: RosterRule, rule: number, zone: Zone, gap: Span, window: Span): Shift[] {
  if (layer.kind === 'always') return [{ ...gap, person: layer.person, rule }];
  return turnsWithin(layer, zone, gap).map(({ turn, from, to }) => ({
    from: gap.from > window.from ? later(from, gap.from) : from,
    to: gap.to < window.to ? earlier(to, gap.to) : to,
    person: layer.people[holderOf(layer, turn)]!,
    rule,
  }));
}

function leftOpen(gap: Span, filled: readonly Shift[]): Span[] {
  const left: Span[] = [];
  let from = gap.from;
  for (const shift of filled) {
    if (shift.from > from) left.push({ from, to: shift.from });
    from = later(from, shift.to);
  }
  if (from < gap.to) left.push({ from, to: gap.to });
  return left;
}

function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}
