import {
  type About,
  ANONYMOUS,
  type ChoiceBy,
  type CompiledPlan,
  exampleOf,
  HOME,
  placeOfRoute,
  type PlanCaller,
  trunksOf,
  type Verb,
} from '../dialplan/index.ts';
import type { Instant } from '../time/index.ts';
import { verbsBehind } from './reach.ts';

/** Who can call what. Callers between whom the plan makes no difference are one. */

/** One number, dialled from one side. */
export interface Entry {
  /** A number that fits the route. */
  readonly dialled: string;
  readonly side: 'inside' | 'trunk';
  readonly verb: Verb;
  readonly place: string;
  readonly site: string | undefined;
}

export interface Caller {
  /** Extension; null: from outside. */
  readonly from: string | null;
  readonly number: string | null;
  /** null: the one of the home site. */
  readonly trunk: string | null;
  readonly site: string;
  readonly about: About;
  /** Any other phone of the house would do. */
  readonly isAnybody: boolean;
  /** Phones that the plan does not tell apart from it, and itself. */
  readonly alike: readonly string[];
}

export function entriesOf({ source }: CompiledPlan): readonly Entry[] {
  return source.routes.flatMap((route) => {
    const sides = route.from === 'anywhere' ? (['inside', 'trunk'] as const) : [route.from];
    return sides.map((side): Entry => {
      const { site, to } = route;
      return { dialled: exampleOf(route.number), side, verb: to, place: placeOfRoute(route), site };
    });
  });
}

/** Callers that the plan could tell apart anywhere, one of each kind, and all phones that are of it. */
interface CallerKind {
  readonly caller: PlanCaller;
  readonly phones: readonly string[];
}

export interface CallerKinds {
  readonly inside: readonly CallerKind[];
  readonly trunk: readonly CallerKind[];
}

export function callerKinds(plan: CompiledPlan, at: Instant): CallerKinds {
  const kinds = new Map<string, { caller: PlanCaller; phones: string[] }>();
  for (const { number } of plan.source.extensions) {
    const caller = { kind: 'phone', extension: number } as const;
    const { site, unit, facility, lists } = plan.about(caller, '', at);
    const kind = [site, unit, facility, lists.join(' ')].join('|');
    const known = kinds.get(kind);
    if (known) known.phones.push(number);
    else kinds.set(kind, { caller, phones: [number] });
  }
  const trunks = new Set([...plan.sites().flatMap(trunksOf), ...(plan.source.trunks ?? []).map(({ trunk }) => trunk)]);
  const listed = (plan.source.callers ?? []).flatMap(({ numbers }) =>
    numbers.filter((one) => one !== ANONYMOUS).slice(0, 1),
  );
  const numbers = [null, NOBODY, ...listed.map(exampleOf)];
  const outside = [...trunks].flatMap((trunk) =>
    numbers.map((number): CallerKind => ({ caller: { kind: 'trunk', trunk, number }, phones: [] })),
  );
  return { inside: [...kinds.values()], trunk: outside };
}

/** A number that is in no list, unless a list has everybody. */
const NOBODY = '+10000000';

/** One caller of each kind that the plan tells apart behind this entry. */
export function callersOf(plan: CompiledPlan, entry: Entry, kinds: CallerKinds, at: Instant): readonly Caller[] {
  const told = toldApart(plan, entry);
  const found = new Map<string, Caller>();
  const phonesAlike = new Map<string, string[]>();
  for (const { caller, phones } of kinds[entry.side]) {
    const about = plan.about(caller, entry.dialled, at);
    // Whose call comes here: a site may have another route for the same number.
    if (!isRoutedTo(plan, about, entry)) continue;
    const name = [...told].map((by) => valueOf(about, by)).join('|');
    const alike = phonesAlike.get(name) ?? [];
    alike.push(...phones);
    phonesAlike.set(name, alike);
    if (!found.has(name)) found.set(name, callerAs(caller, about, told.size === 0, alike));
    if (told.size === 0) break;
  }
  const [anybody] = kinds[entry.side];
  // Another, narrower number takes the example that stands for this one; what is behind it is explored all the same.
  if (found.size === 0 && anybody) {
    return [callerAs(anybody.caller, plan.about(anybody.caller, entry.dialled, at), true, anybody.phones)];
  }
  return [...found.values()];
}

type Told = Exclude<ChoiceBy, 'hours' | 'urgency'>;

function toldApart(plan: CompiledPlan, { verb, site = HOME }: Entry): ReadonlySet<Told> {
  const told = new Set<Told>();
  for (const behind of verbsBehind(verb, plan, site)) {
    if (behind.verb === 'choose' && behind.by !== 'hours' && behind.by !== 'urgency') told.add(behind.by);
    // Another site may have another number of that name.
    if (behind.verb === 'transfer' || behind.verb === 'gather') told.add('site');
  }
  return plan.sites().length === 1 && told.size === 1 && told.has('site') ? new Set() : told;
}

function valueOf(about: About, by: Told): string {
  return by === 'caller' ? about.lists.join(' ') : (about[by] ?? '');
}

function callerAs(caller: PlanCaller, about: About, isAnybody: boolean, alike: readonly string[]): Caller {
  const { site } = about;
  return caller.kind === 'phone'
    ? { from: caller.extension, number: null, trunk: null, site, about, isAnybody, alike }
    : { from: null, number: caller.number, trunk: caller.trunk, site, about, isAnybody: false, alike };
}

function isRoutedTo(plan: CompiledPlan, about: About, { side, place }: Entry): boolean {
  const route = plan.route(about.dialled, side, about.site);
  return route !== undefined && placeOfRoute(route) === place;
}
