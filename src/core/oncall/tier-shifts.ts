import type { Span, Zone } from '../time/index.ts';
import { type ShiftOverride, spanInForce } from './override.ts';
import type { Person } from './people.ts';
import type { ShiftRun, ShiftShelf, SpokenRule } from './shift-shelf.ts';
import type { Layer, Shift } from './shifts.ts';
import type { DutyTier, PersonId, ServiceId } from './vocabulary.ts';

/** The shifts of one tier in the order of time, and what it takes to speak of them. */
export interface TierShifts {
  readonly run: ShiftRun;
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
  const run = shelf.keep(
    shifts.map((shift) => ({
      from: shift.from,
      to: shift.to,
      saying: sayingOf(shift, sayings) ?? shelf.keepSaying(specialSaying(shift, zone, rules, { person, overrides })),
      person: person(shift.person),
    })),
  );
  const added = overrides.flatMap((override): AddedDuty[] => {
    const span = override.kind === 'add' ? spanInForce(override) : null;
    if (span === null || override.in === null) return [];
    return [{ ...span, person: person(override.in), says: byOverride(override, zone) }];
  });
  return {
    run,
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
