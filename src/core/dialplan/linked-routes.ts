import { type RosterIndex, type ServiceId, type ServicePlace, urgencies } from '../oncall/index.ts';
import { eachOf, type Work } from '../steps/index.ts';
import type { CompiledPlan, Route, TakenRoute } from './model.ts';
import { NumberTable, sizeOf } from './patterns/index.ts';
import type { RouteTable, Side } from './route-table.ts';
import type { Verb } from './verb.ts';

type Escalate = Extract<Verb, { verb: 'escalate' }>;
type Find = (dialled: string) => TakenRoute | undefined;
type Linking = Pick<RosterIndex, 'placeOf' | 'serviceIds'>;

/**
 * Routes made ready for calls. With 10⁴ services nearly all that a call touches has to be fetched from memory, which
 * takes longer than to reckon with it. So a number that leads to a service is kept beside one small number, of the
 * service's place and the urgency: the documents are not touched.
 */
export function* linkingRoutes({ sides }: RouteTable, roster: Linking): Work<CompiledPlan['route']> {
  const linked = new Map<string, Find>();
  for (const [name, side] of sides) linked.set(name, yield* linkingSide(side, roster));
  const [trunk, inside] = [linked.get('trunk') ?? nowhere, linked.get('inside') ?? nowhere];
  const ofSites = new Map([...linked].filter(([name]) => name.startsWith(OF_SITE)));
  return (dialled, from, site) => {
    if (from === 'trunk') return trunk(dialled);
    const own = ofSites.size === 0 || site === undefined ? undefined : ofSites.get(OF_SITE + site)?.(dialled);
    return own ?? inside(dialled);
  };
}

const OF_SITE = 'inside ';

const nowhere: Find = () => undefined;

function* linkingSide({ own, set }: Side, { placeOf, serviceIds }: Linking): Work<Find> {
  const services = serviceIds();
  const room = { short: 0, long: 0 };
  yield* eachOf(own, (route) => {
    if (escalation(route) !== null) room[sizeOf(route.number)] += 1;
  });
  const leads = new NumberTable(room);
  yield* eachOf(own, (route) => {
    const to = escalation(route);
    if (to === null) return;
    const lead = placeOf(to.service)! * urgencies.length + urgencies.indexOf(to.urgency);
    leads.set(route.number, lead);
  });
  return (dialled) => {
    const lead = leads.get(dialled);
    if (lead !== undefined) return { number: dialled, site: undefined, to: escalate(lead, services) };
    const route = own[set.match(dialled) ?? -1];
    return route && { number: route.number, site: route.site, to: route.to };
  };
}

/** Of a number that leads to a service from everywhere. */
function escalation({ number, site, to }: Route): Escalate | null {
  return to.verb === 'escalate' && site === undefined && ONE_NUMBER.test(number) ? to : null;
}

const ONE_NUMBER = /^\+?[0-9*#]+$/;

function escalate(lead: number, services: readonly ServiceId[]): Escalate {
  const place = Math.trunc(lead / urgencies.length) as ServicePlace;
  return { verb: 'escalate', service: services[place]!, urgency: urgencies[lead % urgencies.length]!, place };
}
