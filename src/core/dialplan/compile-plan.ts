import { isE164, isExtensionNumber, isId, type Problem, Problems } from '../oncall/index.ts';
import { isZone, zone } from '../time/index.ts';
import { findLoops } from './find-loops.ts';
import type { CompiledPlan, OpeningHours, PlanSource, Route, Verb } from './model.ts';
import { isOpenAt } from './opening-hours.ts';
import { NOT_IN_SERVICE } from './resolve.ts';
import { checkVerb, type KnownNames, waysOn } from './verbs/index.ts';

export type CompiledOrRefused =
  | { readonly kind: 'compiled'; readonly plan: CompiledPlan }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

/**
 * Checks every name, number and time in a plan, also where roster and plan must agree, and indexes it.
 * `prompts` are the ids that can be played.
 */
export function compilePlan(
  source: PlanSource,
  roster: KnownNames['roster'],
  prompts: ReadonlySet<string>,
): CompiledOrRefused {
  const problems = new Problems('plan');
  const names = namesOf(source, roster, prompts);
  checkSite(source, names, problems);
  checkExtensions(source, names, problems);
  checkHours(source, problems);
  checkRoutes(source, names, problems);
  checkFlows(source, names, problems);
  const found = [...problems.found(), ...checkAgreement(names)];
  return found.length > 0 ? { kind: 'refused', problems: found } : { kind: 'compiled', plan: index(source, names) };
}

function namesOf(source: PlanSource, roster: KnownNames['roster'], prompts: ReadonlySet<string>): KnownNames {
  return {
    extensions: new Map(source.extensions.map((extension) => [extension.number, extension])),
    mailboxes: new Map(source.mailboxes.map((mailbox) => [mailbox.id, mailbox])),
    flows: new Map(Object.entries(source.flows)),
    hours: new Map(source.hours.map((hours) => [hours.id, hours])),
    prompts,
    roster,
  };
}

function checkSite(source: PlanSource, names: KnownNames, problems: Problems): void {
  if (!isZone(source.zone)) {
    problems.add('site.zone', `unknown time zone "${source.zone}"`, 'use an IANA name such as America/Chicago');
  }
  if (!/^[A-Z]{2}$/.test(source.country)) {
    problems.add('site.country', `"${source.country}" is not a country`, 'use the two letters of ISO 3166: US');
  }
  if (source.operator === '') {
    problems.add('site', 'no operator is named', 'every call needs a last human: add operator: 1000');
  } else if (!names.extensions.has(source.operator)) {
    problems.unknown('site.operator', 'extension', source.operator, names.extensions.keys());
  }
  if (!isId(source.trunk)) {
    problems.add(
      'site.trunk',
      `"${source.trunk}" cannot be a trunk`,
      'use the name the configuration gives it: carrier',
    );
  }
  if (!isE164(source.mainNumber)) {
    const remedy = 'write it with + and the country code, without spaces: "+12025550100"';
    problems.add('site.main-number', `${source.mainNumber} is not an E.164 number`, remedy);
  }
  if (!names.prompts.has(NOT_IN_SERVICE)) {
    problems.add('site', `the prompt ${NOT_IN_SERVICE} is missing`, 'install the set of prompts again');
  }
}

function checkExtensions(source: PlanSource, names: KnownNames, problems: Problems): void {
  checkUnique('extensions', source.extensions, ({ number }) => number, problems);
  checkUnique('mailboxes', source.mailboxes, ({ id }) => id, problems);
  for (const { number, nameId } of source.extensions) {
    const at = `extensions.${number}`;
    if (!isExtensionNumber(number)) {
      problems.add(at, `"${number}" cannot be an extension`, 'use 2 to 15 digits: 2101', { on: 'key' });
    }
    const spoken = `name-${nameId}`;
    if (nameId !== '' && !names.prompts.has(spoken)) {
      problems.unknown(
        `${at}.name-prompt`,
        'prompt',
        spoken,
        [...names.prompts].filter((id) => id.startsWith('name-')),
      );
    }
  }
  for (const { id, claimedBy } of source.mailboxes) {
    checkId(id, `mailboxes.${id}`, problems);
    if (claimedBy !== undefined && !names.extensions.has(claimedBy)) {
      problems.unknown(`mailboxes.${id}.claimed-by`, 'extension', claimedBy, names.extensions.keys());
    }
  }
}

function checkHours(source: PlanSource, problems: Problems): void {
  checkUnique('hours', source.hours, ({ id }) => id, problems);
  for (const { id, weekly } of source.hours) {
    checkId(id, `hours.${id}`, problems);
    if (weekly.length === 0) problems.add(`hours.${id}`, `${id} is never open`, 'add a day: mon-fri: 08:00-17:00');
    for (const { weekday, fromMinute, toMinute } of weekly) {
      const isDay = Number.isInteger(weekday) && weekday >= 1 && weekday <= 7;
      if (isDay && fromMinute >= 0 && fromMinute < toMinute && toMinute <= 1_440) continue;
      const remedy = 'let them begin before they end on one day, and split them at midnight';
      problems.add(`hours.${id}`, `${id} has hours that end before they begin`, remedy);
    }
  }
}

function checkRoutes(source: PlanSource, names: KnownNames, problems: Problems): void {
  const taken = { inside: new Set<string>(), trunk: new Set<string>() };
  for (const route of source.routes) {
    const at = `routes.${route.number}`;
    if (!/^(\+[1-9][0-9]{6,14}|[0-9*#]{2,15})$/.test(route.number)) {
      const remedy = 'use an extension or service number ("7011") or E.164 ("+12025550100")';
      problems.add(at, `"${route.number}" cannot be dialled`, remedy, { on: 'key' });
    }
    for (const side of sidesOf(route)) {
      if (taken[side].has(route.number)) {
        problems.add(at, `${route.number} has two routes from ${side}`, 'remove one of them', { on: 'key' });
      }
      taken[side].add(route.number);
    }
    checkTree(route.to, at, names, problems);
  }
}

function checkFlows(source: PlanSource, names: KnownNames, problems: Problems): void {
  for (const [id, verb] of Object.entries(source.flows)) {
    checkId(id, `flows.${id}`, problems);
    checkTree(verb, `flows.${id}`, names, problems);
  }
  findLoops(source, problems);
}

function checkTree(verb: Verb, at: string, names: KnownNames, problems: Problems): void {
  checkVerb(verb, at, names, problems);
  for (const way of waysOn(verb, at)) checkTree(way.verb, way.at, names, problems);
}

/** Where the roster names what only the plan knows. */
function checkAgreement(names: KnownNames): readonly Problem[] {
  const problems = new Problems('roster');
  for (const { id, desk } of names.roster.people()) {
    if (desk !== undefined && isExtensionNumber(desk) && !names.extensions.has(desk)) {
      problems.unknown(`people.${id}.desk`, 'extension', desk, names.extensions.keys());
    }
  }
  for (const { id, mailbox } of names.roster.services()) {
    if (!names.mailboxes.has(mailbox)) {
      problems.unknown(`services.${id}.mailbox`, 'mailbox', mailbox, names.mailboxes.keys());
    }
  }
  return problems.found();
}

function checkUnique<T>(section: string, all: readonly T[], nameOf: (one: T) => string, problems: Problems): void {
  const seen = new Set<string>();
  for (const one of all) {
    const name = nameOf(one);
    if (seen.has(name)) problems.add(`${section}.${name}`, `${name} is defined twice`, 'remove one of them', KEY);
    seen.add(name);
  }
}

function checkId(id: string, at: string, problems: Problems): void {
  if (!isId(id)) problems.add(at, `"${id}" cannot be an id`, 'use small letters, digits and hyphens, at most 64', KEY);
}

const KEY = { on: 'key' } as const;

function sidesOf(route: Route): readonly ('inside' | 'trunk')[] {
  return route.from === 'anywhere' ? ['inside', 'trunk'] : [route.from];
}

function index(source: PlanSource, names: KnownNames): CompiledPlan {
  const routes = { inside: new Map<string, Route>(), trunk: new Map<string, Route>() };
  for (const route of source.routes) {
    for (const side of sidesOf(route)) routes[side].set(route.number, route);
  }
  const extensions = new Map(source.extensions.map((extension) => [extension.number, extension]));
  const mailboxes = new Map(source.mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const hours = new Map<string, OpeningHours>(source.hours.map((one) => [one.id, one]));
  const home = zone(source.zone);
  return {
    version: source.version,
    source,
    extension: (number) => extensions.get(number),
    mailbox: (id) => mailboxes.get(id),
    route: (dialled, from) => routes[from].get(dialled),
    flow: (id) => names.flows.get(id),
    isOpen(id, at) {
      const found = hours.get(id);
      if (!found) throw new RangeError(`the plan was compiled without hours ${id}`);
      return isOpenAt(found, home, at);
    },
  };
}
