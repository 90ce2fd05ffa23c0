import { type Instant, type Span, type Zone } from '../time/index.ts';
import { type ShiftOverride, spanInForce } from './override.ts';
import type { Person } from './people.ts';
import type { DutyTier, PersonId, ServiceId } from './vocabulary.ts';
import type { Layer, Shift } from './shifts.ts';

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
  /** How to speak of a shift, by the position of its rule; behind them, of whoever stands in for somebody. */
  readonly rules: readonly SpokenRule[];
  /** Whoever holds a shift of this tier. */
  readonly people: readonly Person[];
  /** Whom overrides have put beside the holder; null nearly always. */
  readonly added: readonly AddedDuty[] | null;
}

export interface AddedDuty extends Span {
  readonly person: Person;
  readonly says: string;
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

/** The rules of a tier, named as the answers name them. */
export interface NamedLayer extends Layer {
  /** "layer 2: ", "temporary roster flood: " */
  readonly prefix: string;
}

export function tierShifts(
  of: Pick<TierShifts, 'service' | 'tier' | 'zone'>,
  layers: readonly NamedLayer[],
  shifts: readonly Shift[],
  overrides: readonly ShiftOverride[],
  findPerson: (id: PersonId) => Person | undefined,
): TierShifts {
  const person = (id: PersonId): Person => {
    const found = findPerson(id);
    if (!found) throw new RangeError(`the roster was compiled without person ${id}`);
    return found;
  };
  const places = new Map<PersonId, number>();
  const people: Person[] = [];
  const rules = layers.map(spoken);
  const special = new Map<string, number>();
  const rows = new Float64Array((shifts.length + 1) * WIDTH);
  for (const [i, shift] of shifts.entries()) {
    let place = places.get(shift.person);
    if (place === undefined) {
      place = people.push(person(shift.person)) - 1;
      places.set(shift.person, place);
    }
    rows.set([shift.from, shift.to, spokenAs(shift, of.zone, rules, special, person), place], (i + 1) * WIDTH);
  }
  const [first, last] = [shifts[0]?.from ?? 0, shifts.at(-1)?.from ?? 0];
  rows[FIRST] = first;
  rows[DISTANCE] = Math.max(1, (last - first) / Math.max(1, shifts.length - 1));
  const added = overrides.flatMap((override): AddedDuty[] => {
    const span = override.kind === 'add' ? spanInForce(override) : null;
    if (span === null || override.in === null) return [];
    return [{ ...span, person: person(override.in), says: byOverride(override, of.zone) }];
  });
  return { ...of, rows, rules, people, added: added.length === 0 ? null : added };
}

/** The row of what is to be said; a shift by an override or of a stand-in has its own. */
function spokenAs(
  { rule, insteadOf, override }: Shift,
  zone: Zone,
  rules: SpokenRule[],
  special: Map<string, number>,
  person: (id: PersonId) => Person,
): number {
  if (override === undefined && insteadOf === undefined) return rule;
  const key = override === undefined ? `${rule} ${insteadOf}` : `override ${override.id}`;
  const known = special.get(key);
  if (known !== undefined) return known;
  const says =
    override === undefined
      ? `${rules[rule]!.says.replace(/, on duty until $/, '')}, for ${person(insteadOf!).name} who is away, on duty until `
      : byOverride(override, zone);
  const row = rules.push({ says, isDated: true }) - 1;
  special.set(key, row);
  return row;
}

/** "by override of R. Okafor, 2026-11-22 06:10, on duty until " */
function byOverride({ kind, author, madeAt }: ShiftOverride, zone: Zone): string {
  const word = kind === 'swap' ? 'swap' : 'override';
  return `by ${word} of ${author}, ${zone.show(madeAt)}, on duty until `;
}

function spoken({ rule, prefix }: NamedLayer): SpokenRule {
  const dated = (what: string): SpokenRule => ({ says: `${prefix}${what}, on duty until `, isDated: true });
  switch (rule.kind) {
    case 'always': {
      if (rule.during === undefined && rule.holidays === undefined) {
        return { says: `${prefix}always on call`, isDated: false };
      }
      return dated('on call in the hours of the rule');
    }
    case 'rotation':
      return dated(`${cadence(rule.everyDays)} since ${rule.since.replace('T', ' ')}`);
    case 'hourly':
      return dated(`rotation every ${rule.everyHours} h since ${rule.since.replace('T', ' ')}`);
    case 'holidays':
      return dated(`holiday plan by ${rule.calendar}`);
    case 'listed':
      return dated('shift listed by hand');
    case 'feed':
      return dated(`feed ${rule.feed}`);
  }
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

/** Rows of all shifts. */
export function eachShift(rows: Float64Array): readonly number[] {
  return Array.from({ length: rows.length / WIDTH - 1 }, (_, i) => i + 1);
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
