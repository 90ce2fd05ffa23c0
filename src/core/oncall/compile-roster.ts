import { allTime, joined, type Span, zone, type Zone } from '../time/index.ts';
import { wallOf } from './hand-offs.ts';
import { inOneGo, STEP_ITEMS, type Work } from '../steps/index.ts';
import { indexingRoster, indexRoster, type RosterIndex } from './index-roster.ts';
import { LaidOutTiers } from './laid-out-tiers.ts';
import { type ClinicalService, type CompiledRoster, type OnCallResult, type RosterSource } from './model.ts';
import type { ShiftOverride } from './override.ts';
import type { PackedPeople } from './people-book.ts';
import { layOutLayers, leaveSpans, overridden, removals, type Surroundings } from './shifts.ts';
import { ShiftShelf } from './shift-shelf.ts';
import { type NamedLayer, tierShifts, type TierShifts } from './tier-shifts.ts';
import { type DutyTier, dutyTiers, type PersonId, type ServiceId, type ServicePlace } from './vocabulary.ts';
import { dutySpans, whoIsOnCall } from './who-is-on-call.ts';

/**
 * Compiles a checked roster for a window of instants. People and services are indexed and zones are read now; the
 * shifts of a tier are laid out when it is first asked for, or by `layOutNext` when there is time: all tiers of 10⁴
 * services take a second. The first question to a tier costs at most one pass over its shifts in the window
 * (`checkRoster` bounds the rules).
 * Throws RangeError for what `checkRoster` refuses: an unknown zone, a wall time that is none.
 */
export function compileRoster(
  source: RosterSource,
  window: Span,
  overrides: readonly ShiftOverride[] = [],
): CompiledRoster {
  return inOneGo(compiling(source, window, overrides, indexRoster(source)));
}

/** The same, a little at a time, of a roster whose people stand in a book; `source.people` is not looked at. */
export function* compilingRoster(source: RosterSource, people: PackedPeople, window: Span): Work<CompiledRoster> {
  return yield* compiling(source, window, [], yield* indexingRoster(source, people));
}

function* compiling(
  source: RosterSource,
  window: Span,
  overrides: readonly ShiftOverride[],
  index: RosterIndex,
): Work<CompiledRoster> {
  const warm = new Set<string>();
  for (const [i, { zone: name }] of source.services.entries()) {
    if (!warm.has(name)) warmUp(name, window);
    if (!warm.has(name) || i % STEP_ITEMS === 0) yield;
    warm.add(name);
  }
  const shelf = new ShiftShelf();
  const services = source.services.length;
  const laidOut = ofTiers((tier) => new LaidOutTiers({ tier, shelf, services }));
  return rosterWith(overrides, { source, window, index, laidOut, shelf });
}

interface Basis {
  readonly source: RosterSource;
  readonly window: Span;
  readonly index: RosterIndex;
  /** Tiers as the rules alone have them; shared by all rosters that differ in their overrides only. */
  readonly laidOut: Readonly<Record<DutyTier, LaidOutTiers>>;
  readonly shelf: ShiftShelf;
}

function rosterWith(overrides: readonly ShiftOverride[], basis: Basis): CompiledRoster {
  const { source, window, index, laidOut } = basis;
  // What names somebody who has left the roster since has no effect any more.
  const isKnown = (id: PersonId | null) => id === null || index.person(id) !== undefined;
  const changes = byTier(
    overrides.filter((one) => isKnown(one.in) && isKnown(one.out)),
    index,
  );
  const changed = ofTiers(() => new Map<ServicePlace, TierShifts>());
  const ownShelf = new ShiftShelf();
  const tiers = eachTier(source.services);

  function layOut(place: ServicePlace, tier: DutyTier): TierShifts {
    const own = changes[tier].get(place);
    const service = source.services[place]!;
    const rows = layOutTier(service, tier, own ?? [], own === undefined ? basis : { ...basis, shelf: ownShelf });
    (own === undefined ? laidOut : changed)[tier].set(place, rows);
    return rows;
  }

  function tierOf(place: ServicePlace, tier: DutyTier): TierShifts {
    return (isChanged(place, tier) ? changed : laidOut)[tier].get(place) ?? layOut(place, tier);
  }

  function isChanged(place: ServicePlace, tier: DutyTier): boolean {
    return changes[tier].size > 0 && changes[tier].has(place);
  }

  return {
    version: source.version,
    zone: source.zone,
    window,
    overrides,
    ...index,
    whoIsOnCall(id: ServiceId, tier, at, guess): OnCallResult {
      const place = index.placeOf(id, guess);
      if (place === undefined) {
        return { kind: 'nobodyOnCall', service: id, tier, because: `there is no service ${id}` };
      }
      if (at < window.from || at >= window.to) return { kind: 'outsideWindow', from: window.from, to: window.to };
      const answer = isChanged(place, tier) ? undefined : laidOut[tier].holder(place, at);
      return answer === undefined ? whoIsOnCall(tierOf(place, tier), at) : { kind: 'onCall', answer };
    },
    shifts(id, tier) {
      const place = index.placeOf(id);
      return place === undefined ? [] : dutySpans(tierOf(place, tier));
    },
    withOverrides: (others) => rosterWith(others, basis),
    layOutNext() {
      for (let next = tiers.next(); !next.done; next = tiers.next()) {
        const { place, tier } = next.value;
        if (laidOut[tier].has(place) || changes[tier].has(place)) continue;
        layOut(place, tier);
        return true;
      }
      return false;
    },
  };
}

function layOutTier(
  service: ClinicalService,
  tier: DutyTier,
  overrides: readonly ShiftOverride[],
  { source, window, index, shelf }: Basis,
): TierShifts {
  const home = zone(service.zone);
  const around: Surroundings = {
    calendar: (id) => source.holidays?.find((one) => one.id === id),
    feed: (id) => source.feeds?.find((one) => one.id === id),
    absences: (id) => {
      const leave = index.person(id)?.leave;
      if (leave === undefined && overrides.length === 0) return NEVER;
      return joined([...leaveSpans(leave ?? [], home), ...removals(overrides, id)]);
    },
  };
  const layers = layersOf(service, tier, source, home);
  const ruled = layOutLayers(layers, home, window, around);
  const shifts = overrides.length === 0 ? ruled : overridden(ruled, overrides, window);
  const of = { service: service.id, tier, zone: home, shelf };
  return tierShifts(of, layers, shifts, overrides, index.person);
}

const NEVER: readonly Span[] = [];

/** Temporary rosters stand before the usual rules. */
function layersOf(service: ClinicalService, tier: DutyTier, source: RosterSource, home: Zone): NamedLayer[] {
  const layers: NamedLayer[] = [];
  for (const temporary of source.temporary ?? []) {
    for (const own of temporary.tiers) {
      if (own.service !== service.id || own.tier !== tier) continue;
      const [from, to] = [temporary.from, temporary.until].map((text) => home.toInstant(wallOf(text)));
      const within = { from: from!, to: to! };
      const last = temporary.gaps === 'nobody' ? own.rules.length - 1 : -1;
      for (const [i, rule] of own.rules.entries()) {
        layers.push({ rule, within, isLast: i === last, prefix: `temporary roster ${temporary.id}: ` });
      }
    }
  }
  for (const [i, rule] of (service.tiers[tier] ?? []).entries()) {
    layers.push({ rule, within: allTime, isLast: false, prefix: i === 0 ? '' : `layer ${i + 1}: ` });
  }
  return layers;
}

/** Tiers without a rule answer without being laid out ahead. */
function* eachTier(services: readonly ClinicalService[]) {
  for (const [i, service] of services.entries()) {
    const place = i as ServicePlace;
    for (const tier of dutyTiers) if (service.tiers[tier] !== undefined) yield { place, tier };
  }
}

function byTier(
  overrides: readonly ShiftOverride[],
  { placeOf }: RosterIndex,
): Readonly<Record<DutyTier, ReadonlyMap<ServicePlace, readonly ShiftOverride[]>>> {
  const tiers = ofTiers(() => new Map<ServicePlace, ShiftOverride[]>());
  for (const override of overrides) {
    const place = placeOf(override.service);
    if (place === undefined) continue;
    const own = tiers[override.tier].get(place);
    if (own) own.push(override);
    else tiers[override.tier].set(place, [override]);
  }
  return tiers;
}

function ofTiers<T>(make: (tier: DutyTier) => T): Readonly<Record<DutyTier, T>> {
  return {
    primary: make('primary'),
    backup: make('backup'),
    fellow: make('fellow'),
    attending: make('attending'),
    supervisor: make('supervisor'),
  };
}

/** Reads the rules of a zone for the window now rather than during a call; that takes milliseconds a zone. */
function warmUp(name: string, window: Span): void {
  const home = zone(name);
  home.toInstant(home.toWall(window.from));
  home.toInstant(home.toWall(window.to));
}
