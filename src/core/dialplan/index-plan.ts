import { zone } from '../time/index.ts';
import { eachOf, inOneGo, STEP_ITEMS, type Work } from '../steps/index.ts';
import { byId, sitesOf, trunksOf } from './known-names.ts';
import { type MakeSet, setsMade } from './make-set.ts';
import { linkingRoutes } from './linked-routes.ts';
import { type About, ANONYMOUS, type CompiledPlan, type Extension, HOME, type PlanSource } from './model.ts';
import { isOpenAt, specialDayAt } from './opening-hours.ts';
import type { PatternSet } from './patterns/index.ts';
import { layingRoutes, type RouteTable } from './route-table.ts';
import { type Translator, translator } from './translate.ts';
import type { Verb } from './verb.ts';
import { type KnownNames, waysOn } from './verbs/index.ts';

/** What a plan is laid out with. `roster`: the one that is compiled together with it. */
interface LaidWith {
  readonly makeSet: MakeSet;
  readonly roster: Pick<KnownNames['roster'], 'placeOf' | 'serviceIds'>;
}

/** Lays a checked plan out, so that every question about it is a look-up; a little at a time. */
export function* layingPlan(source: PlanSource, laidWith: LaidWith): Work<CompiledPlan> {
  return yield* indexingPlan(source, yield* layingRoutes(source.routes, laidWith.makeSet), laidWith);
}

/** The same, where the routes are laid out already. */
export function* indexingPlan(
  source: PlanSource,
  routes: RouteTable,
  { makeSet, roster }: LaidWith,
): Work<CompiledPlan> {
  const extensions = new Map<string, Extension>();
  yield* eachOf(source.extensions, (extension) => void extensions.set(extension.number, extension));
  const mailboxes = byId(source.mailboxes);
  const flows = new Map<string, Verb>();
  yield* eachOf(Object.keys(source.flows), (id) => void flows.set(id, source.flows[id]!));
  const sites = byId(sitesOf(source));
  const known = <T>(what: string, found: T | undefined, id: string): T => {
    if (found === undefined) throw new RangeError(`the plan was compiled without the ${what} ${id}`);
    return found;
  };
  const hours = byId(source.hours);
  const hoursOf = (id: string) => known('hours', hours.get(id), id);
  const hoursZone = (id: string) => hoursOf(id).zone ?? source.zone;
  const [groups, hooks, queues] = [byId(source.groups), byId(source.hooks), byId(source.queues)];
  const numbers = yield* numbersOf(source, makeSet);
  const about = yield* abouts(source, extensions, numbers, makeSet);
  const keyed = yield* layingKeyed(source, makeSet);
  const plan: CompiledPlan = {
    version: source.version,
    source,
    extension: (number) => extensions.get(number),
    mailbox: (id) => mailboxes.get(id),
    route: (dialled, from, site) => linked(dialled, from, site),
    flow: (id) => flows.get(id),
    isOpen: (id, at) => isOpenAt(hoursOf(id), zone(hoursZone(id)), at),
    specialDay: (id, at) => specialDayAt(hoursOf(id), zone(hoursZone(id)), at),
    hoursZone,
    site: (id) => known('site', sites.get(id), id),
    sites: () => [...sites.values()],
    group: (id) => known('group', groups.get(id), id),
    hook: (id) => known('hook', hooks.get(id), id),
    queue: (id) => known('queue', queues.get(id), id),
    about,
    forTrunk: numbers.forTrunk,
    matchKeyed({ digits }, number) {
      // A call that was taken up again after a restart brings its own copy of what it was doing.
      const { patterns, set } = keyed.get(digits) ?? inOneGo(keyedSet(digits, setsMade()));
      keyed.set(digits, { patterns, set });
      return patterns[set.match(number) ?? -1];
    },
  };
  const linked = yield* linkingRoutes(routes, roster);
  return plan;
}

interface Keyed {
  readonly patterns: readonly string[];
  readonly set: PatternSet;
}

/** What callers may key, wherever they are asked for digits. */
function* layingKeyed(source: PlanSource, makeSet: MakeSet): Work<WeakMap<object, Keyed>> {
  const keyed = new WeakMap<object, Keyed>();
  const verbs: Verb[] = [];
  yield* eachOf(source.routes, ({ to }) => void verbs.push(to));
  yield* eachOf(Object.keys(source.flows), (id) => void verbs.push(source.flows[id]!));
  for (let seen = 1; verbs.length > 0; seen++) {
    const verb = verbs.pop()!;
    if (verb.verb === 'gather' && !keyed.has(verb.digits)) {
      keyed.set(verb.digits, yield* keyedSet(verb.digits, makeSet));
    }
    for (const way of waysOn(verb, '')) verbs.push(way.verb);
    if (seen % STEP_ITEMS === 0) yield;
  }
  return keyed;
}

function* keyedSet(digits: Readonly<Record<string, Verb>>, makeSet: MakeSet): Work<Keyed> {
  const patterns = Object.keys(digits);
  return { patterns, set: yield* makeSet(patterns) };
}

interface NumbersOfTrunks {
  readonly fromTrunk: (number: string, trunk: string) => string;
  readonly forTrunk: (e164: string, trunk: string) => string;
}

function* numbersOf(source: PlanSource, makeSet: MakeSet): Work<NumbersOfTrunks> {
  const trunks = new Map<string, { readonly incoming: Translator; readonly outgoing: Translator }>();
  for (const { trunk, incoming, outgoing } of source.trunks ?? []) {
    const [coming, going] = [yield* translator(incoming, makeSet), yield* translator(outgoing, makeSet)];
    trunks.set(trunk, { incoming: coming, outgoing: going });
  }
  return {
    fromTrunk: (number, trunk) => trunks.get(trunk)?.incoming(number) ?? number,
    forTrunk: (e164, trunk) => trunks.get(trunk)?.outgoing(e164) ?? e164,
  };
}

function* abouts(
  source: PlanSource,
  extensions: ReadonlyMap<string, Extension>,
  { fromTrunk }: NumbersOfTrunks,
  makeSet: MakeSet,
): Work<CompiledPlan['about']> {
  const [units, facilities, sites] = [byId(source.units), byId(source.facilities), sitesOf(source)];
  const dialling = new Map<string, Translator>();
  for (const site of sites) dialling.set(site.id, yield* translator(site.dialling, makeSet));
  const lists: { readonly id: string; readonly set: PatternSet; readonly anonymous: boolean }[] = [];
  for (const { id, numbers } of source.callers ?? []) {
    const set = yield* makeSet(numbers.filter((number) => number !== ANONYMOUS));
    lists.push({ id, set, anonymous: numbers.includes(ANONYMOUS) });
  }
  const listsOf = (number: string | null): readonly string[] => {
    const isIn = ({ anonymous, set }: (typeof lists)[number]): boolean =>
      number === null ? anonymous : set.match(number) !== undefined;
    return lists.filter(isIn).map(({ id }) => id);
  };
  return (caller, dialled, at): About => {
    if (caller.kind === 'trunk') {
      const { trunk, number } = caller;
      return {
        at,
        site: sites.find((site) => trunksOf(site).includes(trunk))?.id ?? HOME,
        unit: null,
        facility: null,
        trunk,
        lists: listsOf(number === null ? null : fromTrunk(number, trunk)),
        urgency: null,
        dialled: fromTrunk(dialled, trunk),
      };
    }
    const extension = extensions.get(caller.extension);
    const unit = extension?.unit ?? null;
    const facility = units.get(unit ?? '')?.facility ?? null;
    const site = extension?.site ?? facilities.get(facility ?? '')?.site ?? HOME;
    const lists = listsOf(caller.extension);
    return { at, site, unit, facility, trunk: null, lists, urgency: null, dialled: dialling.get(site)!(dialled) };
  };
}
