import { isExtensionNumber, isId, type Problem, Problems } from '../oncall/index.ts';
import { isZone } from '../time/index.ts';
import { checkMailboxes } from './check-mailboxes.ts';
import { checkNumbers, checkWord } from './check-numbers.ts';
import { sitesOf, trunksOf } from './known-names.ts';
import { type DaySpan, HOME, type PlanSource, type Site } from './model.ts';
import { placeOfRoute } from './place-of-route.ts';
import { NOT_IN_SERVICE } from './resolve.ts';
import type { Verb } from './verb.ts';
import { checkVerb, type KnownNames, waysOn } from './verbs/index.ts';
import { checkE164, checkName, checkPrompts, checkTime } from './verbs/rules.ts';

/** Everything that can be said against a plan besides its routes' numbers, its circles and its dead ends. */
export function checkPlan(source: PlanSource, names: KnownNames, problems: Problems): void {
  for (const site of sitesOf(source)) checkSite(site, names, problems);
  if (!names.prompts.has(NOT_IN_SERVICE)) {
    problems.add('site', `the prompt ${NOT_IN_SERVICE} is missing`, 'install the set of prompts again');
  }
  checkExtensions(source, names, problems);
  checkPlaces(source, names, problems);
  checkHours(source, problems);
  checkGroups(source, names, problems);
  checkHooks(source, problems);
  checkNumbers(source, names, problems);
  for (const route of source.routes) checkTree(route.to, placeOfRoute(route), names, problems);
  for (const [id, verb] of Object.entries(source.flows)) {
    checkId(id, `flows.${id}`, problems);
    checkTree(verb, `flows.${id}`, names, problems);
  }
}

/** Where the roster names what only the plan knows. */
export function checkAgreement(names: KnownNames): readonly Problem[] {
  const problems = new Problems('roster');
  const extension = (at: string, number: string | undefined) => {
    if (number === undefined || !isExtensionNumber(number) || names.extensions.has(number)) return;
    problems.unknown(at, 'extension', number, names.extensions.keys());
  };
  for (const { id, desk, numbers = {} } of names.roster.people()) {
    extension(`people.${id}.desk`, desk);
    for (const [name, number] of Object.entries(numbers)) extension(`people.${id}.numbers.${name}`, number);
  }
  for (const { id, phones } of names.roster.units()) {
    for (const [i, number] of phones.entries()) extension(`units.${id}.phones.${i}`, number);
  }
  for (const { id, mailbox } of names.roster.services()) {
    checkName('mailbox', mailbox, names.mailboxes, `services.${id}.mailbox`, problems);
  }
  return problems.found();
}

function checkTree(verb: Verb, at: string, names: KnownNames, problems: Problems): void {
  checkVerb(verb, at, names, problems);
  for (const way of waysOn(verb, at)) checkTree(way.verb, way.at, names, problems);
}

function checkSite(site: Site, names: KnownNames, problems: Problems): void {
  const at = site.id === HOME ? 'site' : `sites.${site.id}`;
  if (site.id !== HOME) checkId(site.id, at, problems);
  checkZone(site.zone, `${at}.zone`, problems);
  if (!/^[A-Z]{2}$/.test(site.country)) {
    problems.add(`${at}.country`, `"${site.country}" is not a country`, 'use the two letters of ISO 3166: US');
  }
  if (site.operator === '') {
    problems.add(at, 'no operator is named', 'every call needs a last human: add operator: 1000');
  } else {
    checkName('extension', site.operator, names.extensions, `${at}.operator`, problems);
  }
  checkTrunks(site, `${at}.trunk`, problems);
  checkE164(site.mainNumber, `${at}.main-number`, problems);
}

function checkTrunks(site: Site, at: string, problems: Problems): void {
  const trunks = trunksOf(site);
  for (const [i, trunk] of trunks.entries()) {
    if (!isId(trunk)) {
      problems.add(at, `"${trunk}" cannot be a trunk`, 'use the name the configuration gives it: carrier');
    } else if (trunks.indexOf(trunk) !== i) {
      problems.add(
        at,
        `trunk ${trunk} stands here twice`,
        'name each trunk once, in the order in which they are tried',
      );
    }
  }
}

function checkExtensions(source: PlanSource, names: KnownNames, problems: Problems): void {
  checkUnique('extensions', source.extensions, ({ number }) => number, problems);
  checkUnique('mailboxes', source.mailboxes, ({ id }) => id, problems);
  for (const { number, nameId, unit, site } of source.extensions) {
    const at = `extensions.${number}`;
    if (!isExtensionNumber(number)) {
      problems.add(at, `"${number}" cannot be an extension`, 'use 2 to 15 digits: 2101', { on: 'key' });
    }
    if (unit !== undefined) checkName('unit', unit, names.units, `${at}.unit`, problems);
    if (site !== undefined) checkName('site', site, names.sites, `${at}.site`, problems);
    const spoken = `name-${nameId}`;
    if (nameId !== '' && !names.prompts.has(spoken)) {
      const known = [...names.prompts].filter((id) => id.startsWith('name-'));
      problems.unknown(`${at}.name-prompt`, 'prompt', spoken, known);
    }
  }
  for (const { id } of source.mailboxes) checkId(id, `mailboxes.${id}`, problems);
  checkMailboxes(source, names, problems);
}

function checkPlaces(source: PlanSource, names: KnownNames, problems: Problems): void {
  for (const { id, site } of source.facilities ?? []) {
    checkId(id, `facilities.${id}`, problems);
    if (site !== undefined) checkName('site', site, names.sites, `facilities.${id}.site`, problems);
  }
  for (const { id, facility } of source.units ?? []) {
    checkId(id, `units.${id}`, problems);
    if (facility !== undefined) checkName('facility', facility, names.facilities, `units.${id}.facility`, problems);
  }
}

function checkHours(source: PlanSource, problems: Problems): void {
  checkUnique('hours', source.hours, ({ id }) => id, problems);
  for (const { id, weekly, except = [], zone } of source.hours) {
    const at = `hours.${id}`;
    checkWord(id, at, problems);
    if (zone !== undefined) checkZone(zone, `${at}.zone`, problems);
    if (weekly.length === 0) problems.add(at, `${id} is never open`, 'add a day: mon-fri: 08:00-17:00');
    for (const day of weekly) {
      const isDay = Number.isInteger(day.weekday) && day.weekday >= 1 && day.weekday <= 7;
      if (!isDay || !isSpan(day)) refuseSpan(id, at, problems);
    }
    for (const { spans } of except) if (!spans.every(isSpan)) refuseSpan(id, at, problems);
  }
}

function isSpan({ fromMinute, toMinute }: DaySpan): boolean {
  return fromMinute >= 0 && fromMinute < toMinute && toMinute <= 1_440;
}

function refuseSpan(id: string, at: string, problems: Problems): void {
  const remedy = 'let them begin before they end on one day, and split them at midnight';
  problems.add(at, `${id} has hours that end before they begin`, remedy);
}

function checkGroups(source: PlanSource, names: KnownNames, problems: Problems): void {
  for (const { id, members, forMs } of source.groups ?? []) {
    checkId(id, `groups.${id}`, problems);
    checkMembers(members, `groups.${id}`, names, problems);
    checkTime(forMs, `groups.${id}.for`, problems);
  }
  for (const { id, members, ringMs, maxWaitMs, maxCallers, greeting } of source.queues ?? []) {
    checkId(id, `queues.${id}`, problems);
    checkMembers(members, `queues.${id}`, names, problems);
    checkTime(ringMs, `queues.${id}.ring-for`, problems);
    checkTime(maxWaitMs, `queues.${id}.most-wait`, problems, 3_600_000);
    checkPrompts(greeting, `queues.${id}.greeting`, names, problems);
    if (maxCallers >= 1 && maxCallers <= 500) continue;
    problems.add(`queues.${id}.most-callers`, `${maxCallers} callers`, 'use 1 to 500');
  }
}

const MAX_MEMBERS = 50;

function checkMembers(members: readonly string[], at: string, names: KnownNames, problems: Problems): void {
  if (members.length === 0) {
    problems.add(`${at}.members`, 'a group of nobody', 'name at least one extension: members: [2101]');
  } else if (members.length > MAX_MEMBERS) {
    problems.add(`${at}.members`, `${members.length} members`, `use at most ${MAX_MEMBERS}`);
    return;
  }
  for (const [i, member] of members.entries()) {
    checkName('extension', member, names.extensions, `${at}.members.${i}`, problems);
    if (members.indexOf(member) === i) continue;
    problems.add(`${at}.members.${i}`, `${member} is a member twice`, 'a phone rings once; remove one of them');
  }
}

function checkHooks(source: PlanSource, problems: Problems): void {
  for (const { id, url, waitMs } of source.hooks ?? []) {
    checkId(id, `hooks.${id}`, problems);
    if (!/^https?:\/\/[A-Za-z0-9.[\]:-]+(\/[\x21-\x7e]*)?$/.test(url) || url.length > 500) {
      problems.add(`hooks.${id}.url`, `"${url}" is no address of a program`, 'write https://host/path');
    }
    checkTime(waitMs, `hooks.${id}.wait`, problems, 10_000);
  }
}

function checkZone(zone: string, at: string, problems: Problems): void {
  if (isZone(zone)) return;
  problems.add(at, `unknown time zone "${zone}"`, 'use an IANA name such as America/Chicago');
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
