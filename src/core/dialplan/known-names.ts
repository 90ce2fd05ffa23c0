import { HOME, type PlanSource, type Site } from './model.ts';
import type { RouteTable } from './route-table.ts';
import type { KnownNames } from './verbs/index.ts';

/** The home site first; its particulars stand in the plan itself. */
export function sitesOf(source: PlanSource): readonly Site[] {
  const { site: name, zone, country, operator, trunk, failover = [], mainNumber, dialling = [], sites = [] } = source;
  return [{ id: HOME, name, zone, country, operator, trunk, failover, mainNumber, dialling }, ...sites];
}

/** By which outside calls leave, the first before the others. */
export function trunksOf({ trunk, failover = [] }: Pick<Site, 'trunk' | 'failover'>): readonly string[] {
  return [trunk, ...failover];
}

/** Everything that the verbs of a plan may name. `routes` is null while its numbers are at odds. */
export function namesOf(
  source: PlanSource,
  roster: KnownNames['roster'],
  prompts: ReadonlySet<string>,
  routes: RouteTable | null,
): KnownNames {
  const sites = sitesOf(source);
  return {
    extensions: new Map(source.extensions.map((extension) => [extension.number, extension])),
    mailboxes: byId(source.mailboxes),
    flows: new Map(Object.entries(source.flows)),
    hours: byId(source.hours),
    sites: byId(sites),
    trunks: new Set([...sites.flatMap(trunksOf), ...(source.trunks ?? []).map(({ trunk }) => trunk)]),
    facilities: byId(source.facilities),
    units: byId(source.units),
    callers: byId(source.callers),
    groups: byId(source.groups),
    queues: byId(source.queues),
    hooks: byId(source.hooks),
    prompts,
    isRouted: (number) => routes === null || sites.some(({ id }) => routes.route(number, 'inside', id) !== undefined),
    roster,
  };
}

export function byId<T extends { readonly id: string }>(all: readonly T[] = []): ReadonlyMap<string, T> {
  return new Map(all.map((one) => [one.id, one]));
}
