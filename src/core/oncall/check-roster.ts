import { isZone } from '../time/index.ts';
import { checkPeople, checkSpecialty, type Named, namedIn } from './check-people.ts';
import { checkHolidays, checkRules, checkTemporary, type Known } from './check-rules.ts';
import { type ClinicalService, type EscalationChain, type EscalationStep, type RosterSource } from './model.ts';
import type { ById } from './by-id.ts';
import { byId, checkId, urgencies } from './names.ts';
import { numberOf, type Person } from './people.ts';
import { type Problem, Problems } from './problem.ts';
import { dutyTiers } from './vocabulary.ts';

const MAX_STEPS = 20;
const MAX_TARGETS = 20;
const DWELL_MS = { least: 1_000, most: 300_000 };

/** Everything that can be said against a roster without knowing the dialplan. An empty answer: it may be compiled. */
export function checkRoster(source: RosterSource): readonly Problem[] {
  const problems = new Problems('roster');
  const named = namedIn(source);
  const people = checkPeople(source, named, problems);
  const calendars = checkHolidays(source, problems);
  const feeds = byId('feeds', source.feeds ?? [], problems);
  checkServices(source, named, problems, { people, calendars, feeds });
  checkTemporary(source, problems, { people, calendars, feeds });
  return problems.found();
}

function checkServices(
  source: RosterSource,
  named: Named,
  problems: Problems,
  known: Known & { readonly people: ById<Person> },
): void {
  const services = byId('services', source.services, problems);
  const checkedChains = new Set<EscalationChain>();
  for (const service of source.services) {
    checkService(service, named, problems, known);
    for (const urgency of urgencies) {
      const chain = service.chains[urgency];
      // Services share chains: say it once.
      if (!checkedChains.has(chain)) checkChain(chain, problems, known.people, services);
      checkedChains.add(chain);
    }
  }
}

function checkService(service: ClinicalService, named: Named, problems: Problems, known: Known): void {
  const at = `services.${service.id}`;
  if (!isZone(service.zone)) {
    problems.add(`${at}.zone`, `unknown time zone "${service.zone}"`, 'use an IANA name such as America/Chicago');
  }
  if (service.specialty !== undefined) checkSpecialty(service.specialty, `${at}.specialty`, named, problems);
  for (const [i, unit] of (service.units ?? []).entries()) {
    if (!named.units.has(unit)) problems.unknown(`${at}.units.${i}`, 'unit', unit, named.units);
  }
  for (const tier of dutyTiers) checkRules(service.tiers[tier] ?? [], `${at}.${tier}`, problems, known);
}

function checkChain(
  chain: EscalationChain,
  problems: Problems,
  people: ById<Person>,
  services: ById<ClinicalService>,
): void {
  const at = `chains.${chain.id}`;
  checkId(chain.id, at, problems);
  if (chain.steps.length === 0) problems.add(`${at}.steps`, 'a chain without steps rings nobody', 'add a step');
  if (chain.steps.length > MAX_STEPS) {
    problems.add(`${at}.steps`, `${chain.steps.length} steps in one chain`, `use at most ${MAX_STEPS}`);
  }
  for (const [i, step] of chain.steps.entries()) checkStep(step, `${at}.steps.${i}`, problems, people, services);
}

function checkStep(
  step: EscalationStep,
  at: string,
  problems: Problems,
  people: ById<Person>,
  services: ById<ClinicalService>,
): void {
  const isTooShort = step.dwellMs < DWELL_MS.least;
  if (isTooShort || step.dwellMs > DWELL_MS.most) {
    problems.add(`${at}.for`, `${step.dwellMs / 1000} s is too ${isTooShort ? 'short' : 'long'}`, 'use 1s to 300s');
  }
  if (step.devices.length === 0) {
    problems.add(`${at}.on`, 'the step rings no device', 'name them: on: [desk, mobile]');
  }
  if (step.targets.length === 0) {
    problems.add(`${at}.ring`, 'the step rings nobody', `name a tier (${dutyTiers.join(', ')}) or a person`);
  }
  if (step.targets.length > MAX_TARGETS) {
    problems.add(`${at}.ring`, `${step.targets.length} targets ring at once`, `use at most ${MAX_TARGETS}`);
  }
  for (const [i, target] of step.targets.entries()) {
    if (target.kind === 'tier') {
      if (target.service === undefined || services.has(target.service)) continue;
      problems.unknown(`${at}.ring.${i}`, 'service', target.service, services.keys());
      continue;
    }
    const person = people.get(target.person);
    if (!person) {
      problems.unknown(`${at}.ring.${i}`, 'tier or person', target.person, [...dutyTiers, ...people.keys()]);
    } else if (step.devices.length > 0 && !step.devices.some((device) => canRing(person, device))) {
      const devices = step.devices.join(' and ');
      problems.add(
        `${at}.ring.${i}`,
        `${person.name} has no ${devices}`,
        `add one to people.${person.id}, or change on:`,
      );
    }
  }
}

function canRing(person: Person, device: EscalationStep['devices'][number]): boolean {
  return device === 'preferred' || numberOf(person, device) !== undefined;
}
