import type { Instant, Zone } from '../time/index.ts';
import type { DutyTier, Person, PersonId, RosterRule, ServiceId } from './model.ts';
import type { Shift } from './shifts.ts';

/**
 * The shifts of one tier in the order of time, and what it takes to speak of them. All numbers of a tier lie in one
 * block of memory, those of a shift in one cache line: with 10⁴ services a question is paid in cache misses.
 */
export interface TierShifts {
  readonly service: ServiceId;
  readonly tier: DutyTier;
  readonly zone: Zone;
  /** Row 0: beginning of the first shift, usual distance of two beginnings. Then a row for each shift. */
  readonly rows: Float64Array;
  /** How to speak of a shift, by the position of its rule. */
  readonly rules: readonly SpokenRule[];
  /** Whoever holds a shift of this tier. */
  readonly people: readonly Person[];
}

export interface SpokenRule {
  /** "weekly rotation since 2026-01-05 08:00, on duty until " */
  readonly says: string;
  /** The end of the shift follows. */
  readonly isDated: boolean;
}

/** Columns of a row; TO and what follows are of the shift that begins at FROM. */
const [FROM, TO, RULE, HOLDER, WIDTH] = [0, 1, 2, 3, 4];
const [FIRST, DISTANCE] = [0, 1];

export function tierShifts(
  of: Pick<TierShifts, 'service' | 'tier' | 'zone'>,
  rules: readonly RosterRule[],
  shifts: readonly Shift[],
  person: (id: PersonId) => Person | undefined,
): TierShifts {
  const places = new Map<PersonId, number>();
  const people: Person[] = [];
  const rows = new Float64Array((shifts.length + 1) * WIDTH);
  for (const [i, shift] of shifts.entries()) {
    let place = places.get(shift.person);
    if (place === undefined) {
      const found = person(shift.person);
      if (!found) throw new RangeError(`the roster was compiled without person ${shift.person}`);
      place = people.push(found) - 1;
      places.set(shift.person, place);
    }
    rows.set([shift.from, shift.to, shift.rule, place], (i + 1) * WIDTH);
  }
  const [first, last] = [shifts[0]?.from ?? 0, shifts.at(-1)?.from ?? 0];
  rows[FIRST] = first;
  rows[DISTANCE] = Math.max(1, (last - first) / Math.max(1, shifts.length - 1));
  return { ...of, rows, rules: rules.map(spoken), people };
}

function spoken(rule: RosterRule, position: number): SpokenRule {
  const layer = position === 0 ? '' : `layer ${position + 1}: `;
  if (rule.kind === 'always') return { says: `${layer}always on call`, isDated: false };
  const since = rule.since.replace('T', ' ');
  return { says: `${layer}${cadence(rule.everyDays)} since ${since}, on duty until `, isDated: true };
}

function cadence(everyDays: number): string {
  if (everyDays === 1) return 'daily rotation';
  if (everyDays === 7) return 'weekly rotation';
  return `rotation every ${everyDays} days`;
}

/** Row of the shift that covers the instant; 0: none does. */
export function shiftAt(rows: Float64Array, at: Instant): number {
  const count = rows.length / WIDTH - 1;
  if (count === 0 || at < rows[FIRST]!) return 0;
  // Turns of one rotation have one length, but for the clock changes; so this nearly always hits, or is off by one.
  const guess = Math.min(count, 1 + Math.floor((at - rows[FIRST]!) / rows[DISTANCE]!));
  const shift = nearby(rows, guess, count, at);
  return at < rows[shift * WIDTH + TO]! ? shift : 0;
}

/** The last shift that has begun. */
function nearby(rows: Float64Array, guess: number, count: number, at: Instant): number {
  const begins = (shift: number): number => rows[shift * WIDTH + FROM]!;
  if (begins(guess) <= at) {
    if (guess === count || begins(guess + 1) > at) return guess;
  } else if (begins(guess - 1) <= at && guess > 1) return guess - 1;
  let [low, high] = [1, count];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (begins(middle) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function shiftIn(
  { rows, rules, people }: TierShifts,
  shift: number,
): { from: number; to: number; rule: SpokenRule; person: Person } {
  const row = shift * WIDTH;
  return {
    from: rows[row + FROM]!,
    to: rows[row + TO]!,
    rule: rules[rows[row + RULE]!]!,
    person: people[rows[row + HOLDER]!]!,
  };
}

/** When the next shift after an instant begins; undefined when none does in the window. */
export function nextBeginning(rows: Float64Array, at: Instant): number | undefined {
  for (let row = WIDTH; row < rows.length; row += WIDTH) if (rows[row + FROM]! > at) return rows[row + FROM]!;
  return undefined;
}
