import { instant, zone } from '../time/index.ts';
import { byId, sitesOf } from './known-names.ts';
import { type About, ANONYMOUS, type CompiledPlan, HOME, nothingKnown, type PlanSource, type Verb } from './model.ts';
import { linkRoutes } from './linked-routes.ts';
import { isOpenAt, specialDayAt } from './opening-hours.ts';
import { PatternSet } from './patterns/index.ts';
import type { RouteTable } from './route-table.ts';
import { translator } from './translate.ts';
import { type KnownNames, says } from './verbs/index.ts';

/** Lays a checked plan out, so that every question about it is a look-up. */
export function indexPlan(source: PlanSource, routes: RouteTable, roster: KnownNames['roster']): CompiledPlan {
  const extensions = new Map(source.extensions.map((extension) => [extension.number, extension]));
  const mailboxes = byId(source.mailboxes);
  const flows = new Map(Object.entries(source.flows));
  const sites = byId(sitesOf(source));
  const known = <T>(what: string, found: T | undefined, id: string): T => {
    if (found === undefined) throw new RangeError(`the plan was compiled without the ${what} ${id}`);
    return found;
  };
  const hours = byId(source.hours);
  const hoursOf = (id: string) => known('hours', hours.get(id), id);
  const hoursZone = (id: string) => hoursOf(id).zone ?? source.zone;
  const [groups, hooks, queues] = [byId(source.groups), byId(source.hooks), byId(source.queues)];
  const numbers = numbersOf(source);
  const keyed = new WeakMap<object, { readonly patterns: readonly string[]; readonly set: PatternSet }>();
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
    about: abouts(source, numbers),
    forTrunk: numbers.forTrunk,
    matchKeyed({ digits }, number) {
      const { patterns, set } = keyed.get(digits) ?? patternsOf(digits);
      keyed.set(digits, { patterns, set });
      return patterns[set.match(number) ?? -1];
    },
  };
  // Words of a verb that acts are the same for every call.
  const linked = linkRoutes(routes, roster, (verb) => says(verb, plan, nothingKnown(instant(0))));
  return plan;
}

function patternsOf(digits: Readonly<Record<string, Verb>>) {
  const patterns = Object.keys(digits);
  return { patterns, set: new PatternSet(patterns) };
}

function numbersOf(source: PlanSource) {
  const trunks = new Map(
    (source.trunks ?? []).map(({ trunk, incoming, outgoing }) => [
      trunk,
      { incoming: translator(incoming), outgoing: translator(outgoing) },
    ]),
  );
  return {
    fromTrunk: (number: string, trunk: string) => trunks.get(trunk)?.incoming(number) ?? number,
    forTrunk: (e164: string, trunk: string) => trunks.get(trunk)?.outgoing(e164) ?? e164,
  };
}

function abouts(source: PlanSource, { fromTrunk }: ReturnType<typeof numbersOf>): CompiledPlan['about'] {
  const extensions = new Map(source.extensions.map((extension) => [extension.number, extension]));
  const [units, facilities, sites] = [byId(source.units), byId(source.facilities), sitesOf(source)];
  const dialling = new Map(sites.map((site) => [site.id, translator(site.dialling)]));
  const lists = (source.callers ?? []).map(({ id, numbers }) => {
    const set = new PatternSet(numbers.filter((number) => number !== ANONYMOUS));
    return { id, set, anonymous: numbers.includes(ANONYMOUS) };
  });
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
        site: sites.find((site) => site.trunk === trunk)?.id ?? HOME,
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
