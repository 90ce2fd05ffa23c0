import type { Instant, Zone } from '../time/index.ts';
import type { DutyTier, Person, PersonId, RosterRule, ServiceId } from './model.ts';
import type { Shift } from './shifts.ts';

/**
 * The shifts of one tier as columns, in the order of time, and what it takes to speak of them. Columns lie side by
 * side in memory: with 10⁴ services a question costs a few cache lines instead of one object for each step of the search.
 */
export interface TierShifts {
  readonly service: ServiceId;
  readonly tier: DutyTier;
  readonly zone: Zone;
  readonly rules: readonly RosterRule[];
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** Position in `rules`. */
  readonly rule: Uint16Array;
  /** Position in `people`. */
  readonly holder: Uint16Array;
  /** Whoever holds a shift of this tier. */
  readonly people: readonly Person[];
}

export function columnsOf(
  tier: Pick<TierShifts, 'service' | 'tier' | 'zone' | 'rules'>,
  shifts: readonly Shift[],
  person: (id: PersonId) => Person | undefined,
): TierShifts {
  const places = new Map<PersonId, number>();
  const people: Person[] = [];
  const count = shifts.length;
  const [from, to] = [new Float64Array(count), new Float64Array(count)];
  const [rule, holder] = [new Uint16Array(count), new Uint16Array(count)];
  for (let i = 0; i < count; i++) {
    const shift = shifts[i]!;
    let place = places.get(shift.person);
    if (place === undefined) {
      const found = person(shift.person);
      if (!found) throw new RangeError(`the roster was compiled without person ${shift.person}`);
      place = people.push(found) - 1;
      places.set(shift.person, place);
    }
    from[i] = shift.from;
    to[i] = shift.to;
    rule[i] = shift.rule;
    holder[i] = place;
  }
  return { ...tier, from, to, rule, holder, people };
}

/** Position of the shift that covers the instant, or -1: a binary search. */
export function shiftAt({ from, to }: TierShifts, at: Instant): number {
  let low = 0;
  let high = from.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (from[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low > 0 && at < to[low - 1]! ? low - 1 : -1;
}
