import { type Instant, type Span, type Zone } from '../time/index.ts';
import { type ShiftOverride, spanInForce } from './override.ts';
import type { Person } from './people.ts';
import type { DutyTier, PersonId, ServiceId } from './vocabulary.ts';
import type { Layer, Shift } from './shifts.ts';

/**
 * The shifts of one tier in the order of time, and what it takes to speak of them. With 10⁴ services a question is paid
 * in cache misses: so the numbers of all tiers lie in a few large blocks, those of a shift in one cache line, and words
 * that many tiers share are kept once.
 */
export interface TierShifts {
  /** A row for each shift, from row `start` on. What every question needs comes first: it is in one cache line. */
  readonly rows: Float64Array;
  readonly start: number;
  readonly count: number;
  /** Whom overrides have put beside the holder; null nearly always. */
  readonly added: readonly AddedDuty[] | null;
  readonly shelf: ShiftShelf;
  readonly zone: Zone;
  readonly tier: DutyTier;
  readonly service: ServiceId;
  readonly hasRules: boolean;
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

/** Columns of a row. */
const [FROM, TO, RULE, HOLDER, WIDTH] = [0, 1, 2, 3, 4];

/** The rules of a tier, named as the answers name them. */
export interface NamedLayer extends Layer {
  /** "layer 2: ", "temporary roster flood: " */
  readonly prefix: string;
}

export function tierShifts(
  of: Pick<TierShifts, 'service' | 'tier' | 'zone' | 'shelf'>,
  layers: readonly NamedLayer[],
  shifts: readonly Shift[],
  overrides: readonly ShiftOverride[],
  findPerson: (id: PersonId) => Person | undefined,
): TierShifts {
  const { shelf, zone } = of;
  const person = (id: PersonId): Person => {
    const found = findPerson(id);
    if (!found) throw new RangeError(`the roster was compiled without person ${id}`);
    return found;
  };
  const places = new Map<PersonId, number>();
  const rules = layers.map(spoken);
  const sayings = rules.map((rule) => shelf.keepSaying(rule));
  const { rows, start } = shelf.room(shifts.length);
  for (const [i, shift] of shifts.entries()) {
    let place = places.get(shift.person);
    if (place === undefined) {
      place = shelf.people.push(person(shift.person)) - 1;
      places.set(shift.person, place);
    }
    const row = (start + i) * WIDTH;
    rows[row + FROM] = shift.from;
    rows[row + TO] = shift.to;
    rows[row + RULE] =
      sayingOf(shift, sayings) ?? shelf.keepSaying(specialSaying(shift, zone, rules, { person, overrides }));
    rows[row + HOLDER] = place;
  }
  const added = overrides.flatMap((override): AddedDuty[] => {
    const span = override.kind === 'add' ? spanInForce(override) : null;
    if (span === null || override.in === null) return [];
    return [{ ...span, person: person(override.in), says: byOverride(override, zone) }];
  });
  return {
    rows,
    start,
    count: shifts.length,
    added: added.length === 0 ? null : added,
    shelf,
    zone,
    tier: of.tier,
    service: of.service,
    hasRules: layers.length > 0,
  };
}

/** A shift by an override or of a stand-in has its own words. */
function sayingOf({ rule, insteadOf, override }: Shift, sayings: readonly number[]): number | undefined {
  return override === undefined && insteadOf === undefined ? sayings[rule] : undefined;
}

function specialSaying(
  { from, rule, insteadOf, override }: Shift,
  zone: Zone,
  rules: readonly SpokenRule[],
  { person, overrides }: { readonly person: (id: PersonId) => Person; readonly overrides: readonly ShiftOverride[] },
): SpokenRule {
  if (override !== undefined) return { says: byOverride(override, zone), isDated: true };
  const usual = rules[rule]!.says.replace(/, on duty until $/, '');
  const { name } = person(insteadOf!);
  const removal = overrides.find((one) => {
    const span = one.kind === 'remove' && one.out === insteadOf ? spanInForce(one) : null;
    return span !== null && span.from <= from && from < span.to;
  });
  if (removal === undefined) return { says: `${usual}, for ${name} who is away, on duty until `, isDated: true };
  return { says: `${usual}, for ${name} who is taken off ${byOverride(removal, zone)}`, isDated: true };
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

/** Row of the shift that covers the instant; -1: none does. */
export function shiftAt({ rows, start, count }: TierShifts, window: Span, at: Instant): number {
  if (count === 0) return -1;
  // Turns of one rotation have one length and fill the window; so this nearly always hits, or is off by one.
  const guess = Math.floor(((at - window.from) / (window.to - window.from)) * count);
  const row = nearby(rows, start, guess, count, at);
  const begins = row * WIDTH + FROM;
  return at >= rows[begins]! && at < rows[begins - FROM + TO]! ? row : -1;
}

/** The last shift that has begun; the first when none has. */
function nearby(rows: Float64Array, start: number, guess: number, count: number, at: Instant): number {
  const begins = (shift: number): number => rows[(start + shift) * WIDTH + FROM]!;
  if (begins(guess) <= at) {
    if (guess === count - 1 || begins(guess + 1) > at) return start + guess;
    if (guess + 2 >= count || begins(guess + 2) > at) return start + guess + 1;
  } else if (guess > 0 && begins(guess - 1) <= at) return start + guess - 1;
  let [low, high] = [0, count - 1];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (begins(middle) <= at) low = middle;
    else high = middle - 1;
  }
  return start + low;
}

/** Rows of all shifts. */
export function eachShift({ start, count }: TierShifts): readonly number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

export function shiftIn(
  { rows, shelf }: TierShifts,
  shift: number,
): { from: number; to: number; rule: SpokenRule; person: Person } {
  const row = shift * WIDTH;
  return {
    from: rows[row + FROM]!,
    to: rows[row + TO]!,
    rule: shelf.sayings[rows[row + RULE]!]!,
    person: shelf.people[rows[row + HOLDER]!]!,
  };
}

/** When the next shift after an instant begins; undefined when none does in the window. */
export function nextBeginning({ rows, start, count }: TierShifts, at: Instant): number | undefined {
  for (let shift = start; shift < start + count; shift++) {
    if (rows[shift * WIDTH + FROM]! > at) return rows[shift * WIDTH + FROM]!;
  }
  return undefined;
}

/** What the shifts of many tiers share. It only grows; a roster that is laid out anew has its own. */
export interface ShiftShelf {
  /** Holders of shifts, a tier's people side by side. */
  readonly people: Person[];
  readonly sayings: readonly SpokenRule[];
  /** The place of these words among `sayings`. */
  keepSaying(rule: SpokenRule): number;
  /** Room for so many rows, side by side in one block. */
  room(count: number): { readonly rows: Float64Array; readonly start: number };
}

const BLOCK_ROWS = 65_536;

export function shiftShelf(): ShiftShelf {
  const sayings: SpokenRule[] = [];
  const places = new Map<string, number>();
  let block = new Float64Array(0);
  let used = 0;
  let total = 0;
  return {
    people: [],
    sayings,
    keepSaying(rule) {
      const known = places.get(rule.says);
      if (known !== undefined) return known;
      const place = sayings.push(rule) - 1;
      places.set(rule.says, place);
      return place;
    },
    room(count) {
      if ((used + count) * WIDTH > block.length) {
        // Small for small houses: as much again as there is already, up to a limit.
        block = new Float64Array(Math.max(count, Math.min(BLOCK_ROWS, total)) * WIDTH);
        used = 0;
      }
      const start = used;
      used += count;
      total += count;
      return { rows: block, start };
    },
  };
}
