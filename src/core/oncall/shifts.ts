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
 * rule names somebody. The first rule that names somebody answers. A rule that has begun never ends, so what it leaves
 * to later rules is the time before its beginning.
 * Shifts keep their true ends also outside the window; `always`, which has none, ends with the window.
 */
export function layOutShifts(rules: readonly RosterRule[], zone: Zone, window: Span): Shift[] {
  const layers: Shift[][] = [];
  let open = window;
  for (const [position, rule] of rules.entries()) {
    const layer = shiftsOfRule(rule, position, zone, open);
    const last = layer.at(-1);
    // Cut where an earlier rule begins; at the end of the window nothing does.
    if (last && open.to < window.to) layer[layer.length - 1] = { ...last, to: earlier(last.to, open.to) };
    layers.unshift(layer);
    open = { from: window.from, to: earlier(open.to, layer[0]?.from ?? open.to) };
    if (open.to <= open.from) break;
  }
  return layers.flat();
}

function shiftsOfRule(rule: RosterRule, position: number, zone: Zone, within: Span): Shift[] {
  if (rule.kind === 'always') return [{ ...within, person: rule.person, rule: position }];
  return turnsWithin(rule, zone, within).map(({ turn, from, to }) => {
    return { from, to, person: rule.people[holderOf(rule, turn)]!, rule: position };
  });
}

function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}
