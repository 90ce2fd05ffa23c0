import { type Instant, instant, type Span, type Zone } from '../time/index.ts';
import { type ShiftOverride, spanInForce } from './override.ts';
import type { Person } from './people.ts';
import type { DutyTier, PersonId, ServiceId } from './vocabulary.ts';
import type { Layer, Shift } from './shifts.ts';

/**
 * The shifts of one tier in the order of time, and what it takes to speak of them. With 10⁴ services a question is paid
 * in cache misses: so the shifts of all tiers lie in a few large blocks, and words that many tiers share are kept once.
 */
export interface TierShifts extends ShiftRun {
  /** Whom overrides have put beside the holder; null nearly always. */
  readonly added: readonly AddedDuty[] | null;
  readonly shelf: ShiftShelf;
  readonly zone: Zone;
  readonly tier: DutyTier;
  readonly service: ServiceId;
  readonly hasRules: boolean;
}

/** Shifts side by side in a block: `count` of them from `start` on. */
export interface ShiftRun {
  /** Position on the shelf. */
  readonly block: number;
  readonly start: number;
  readonly count: number;
}

export interface AddedDuty extends Span {
  readonly person: Person;
  readonly says: string;
}

export interface SpokenRule {
  /** "weekly rotation since 2026-01-05 08:00, on duty until " */
  readonly says: string;
  /** The end of the shift follows, on the clock of this zone. */
  readonly isDated: boolean;
  readonly zone: Zone;
}

/** Columns of a row. */
const [FROM, TO, RULE, WIDTH] = [0, 1, 2, 3];

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
  const known = new Map<PersonId, Person>();
  const person = (id: PersonId): Person => {
    const found = known.get(id) ?? findPerson(id);
    if (!found) throw new RangeError(`the roster was compiled without person ${id}`);
    known.set(id, found);
    return found;
  };
  const rules = layers.map((layer) => spoken(layer, zone));
  const sayings = rules.map((rule) => shelf.keepSaying(rule));
  const { block, start } = shelf.room(shifts.length);
  const { rows, holders } = shelf.blocks[block]!;
  for (const [i, shift] of shifts.entries()) {
    const row = (start + i) * WIDTH;
    rows[row + FROM] = shift.from;
    rows[row + TO] = shift.to;
    rows[row + RULE] =
      sayingOf(shift, sayings) ?? shelf.keepSaying(specialSaying(shift, zone, rules, { person, overrides }));
    holders[start + i] = person(shift.person);
  }
  const added = overrides.flatMap((override): AddedDuty[] => {
    const span = override.kind === 'add' ? spanInForce(override) : null;
    if (span === null || override.in === null) return [];
    return [{ ...span, person: person(override.in), says: byOverride(override, zone) }];
  });
  return {
    block,
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
  if (override !== undefined) return { says: byOverride(override, zone), isDated: true, zone };
  const usual = rules[rule]!.says.replace(/, on duty until $/, '');
  const { name } = person(insteadOf!);
  const removal = overrides.find((one) => {
    const span = one.kind === 'remove' && one.out === insteadOf ? spanInForce(one) : null;
    return span !== null && span.from <= from && from < span.to;
  });
  if (removal === undefined) return { says: `${usual}, for ${name} who is away, on duty until `, isDated: true, zone };
  return { says: `${usual}, for ${name} who is taken off ${byOverride(removal, zone)}`, isDated: true, zone };
}

/** "by override of R. Okafor, 2026-11-22 06:10, on duty until " */
function byOverride({ kind, author, madeAt }: ShiftOverride, zone: Zone): string {
  const word = kind === 'swap' ? 'swap' : 'override';
  return `by ${word} of ${author}, ${zone.show(madeAt)}, on duty until `;
}

function spoken({ rule, prefix }: NamedLayer, zone: Zone): SpokenRule {
  const dated = (what: string): SpokenRule => ({ says: `${prefix}${what}, on duty until `, isDated: true, zone });
  switch (rule.kind) {
    case 'always': {
      if (rule.during === undefined && rule.holidays === undefined) {
        return { says: `${prefix}always on call`, isDated: false, zone };
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

/**
 * Row of the shift in a block that covers the instant; -1: none does. `guess`: how many shifts have begun before.
 * Turns of one rotation have one length: so a guess by length nearly always hits, or is off by one.
 */
export function shiftAt(
  { rows }: ShiftBlock,
  { start, count }: Pick<ShiftRun, 'start' | 'count'>,
  guess: number,
  at: Instant,
): number {
  if (count === 0) return -1;
  const first = start + Math.max(0, Math.min(count - 1, guess));
  if (at >= rows[first * WIDTH + FROM]! && at < rows[first * WIDTH + TO]!) return first;
  const row = lastBegun(rows, start, first, start + count - 1, at);
  return at >= rows[row * WIDTH + FROM]! && at < rows[row * WIDTH + TO]! ? row : -1;
}

/** Row of the last shift that has begun; the first when none has. */
function lastBegun(rows: Float64Array, first: number, guess: number, last: number, at: Instant): number {
  const begins = (row: number): number => rows[row * WIDTH + FROM]!;
  let [low, high] = [first, last];
  if (begins(guess) <= at) {
    if (guess === last || begins(guess + 1) > at) return guess;
    low = guess + 1;
    if (low === last || begins(low + 1) > at) return low;
  } else if (guess > first) {
    high = guess - 1;
    if (begins(high) <= at) return high;
  }
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (begins(middle) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Rows of all shifts. */
export function eachShift({ start, count }: TierShifts): readonly number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

export function shiftIn(
  { blocks, sayings }: ShiftShelf,
  block: number,
  shift: number,
): { from: Instant; to: Instant; rule: SpokenRule; person: Person } {
  const { rows, holders } = blocks[block]!;
  const row = shift * WIDTH;
  return {
    from: instant(rows[row + FROM]!),
    to: instant(rows[row + TO]!),
    rule: sayings[rows[row + RULE]!]!,
    person: holders[shift]!,
  };
}

/** When the next shift after an instant begins; undefined when none does in the window. */
export function nextBeginning({ shelf, block, start, count }: TierShifts, at: Instant): number | undefined {
  const { rows } = shelf.blocks[block]!;
  for (let shift = start; shift < start + count; shift++) {
    if (rows[shift * WIDTH + FROM]! > at) return rows[shift * WIDTH + FROM]!;
  }
  return undefined;
}

/** Rows, and beside each who holds the shift: whom it is can be fetched while the row is. */
export interface ShiftBlock {
  readonly rows: Float64Array;
  readonly holders: Person[];
}

/** What the shifts of many tiers share. It only grows; a roster that is laid out anew has its own. */
export interface ShiftShelf {
  readonly blocks: readonly ShiftBlock[];
  readonly sayings: readonly SpokenRule[];
  /** The place of these words among `sayings`. */
  keepSaying(rule: SpokenRule): number;
  /** Room for so many rows, side by side in one block. `start` is below `BLOCK_ROWS`. */
  room(count: number): Pick<ShiftRun, 'block' | 'start'>;
}

export const BLOCK_ROWS = 65_536;

export function shiftShelf(): ShiftShelf {
  const sayings: SpokenRule[] = [];
  const places = new Map<string, number>();
  const blocks: ShiftBlock[] = [];
  let size = 0;
  let used = 0;
  let total = 0;
  return {
    blocks,
    sayings,
    keepSaying(rule) {
      const key = `${rule.zone.name} ${rule.says}`;
      const known = places.get(key);
      if (known !== undefined) return known;
      const place = sayings.push(rule) - 1;
      places.set(key, place);
      return place;
    },
    room(count) {
      if (blocks.length === 0 || used + count > size) {
        // Small for small houses: as much again as there is already, up to a limit.
        size = Math.max(count, Math.min(BLOCK_ROWS, total));
        used = 0;
        blocks.push({ rows: new Float64Array(size * WIDTH), holders: [] });
      }
      const start = used;
      used += count;
      total += count;
      return { block: blocks.length - 1, start };
    },
  };
}
