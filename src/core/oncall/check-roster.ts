import { isZone, wall } from '../time/index.ts';
import {
  dutyTiers,
  type EscalationChain,
  type EscalationStep,
  type Person,
  type RosterRule,
  type RosterSource,
  type Urgency,
} from './model.ts';
import { type Problem, Problems } from './problem.ts';

export const urgencies: readonly Urgency[] = ['stat', 'urgent', 'routine'];

const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const E164 = /^\+[1-9][0-9]{6,14}$/;
const EXTENSION = /^[0-9]{2,15}$/;
const MAX_RULES = 20;
const MAX_STEPS = 20;
const MAX_TARGETS = 20;
const MAX_ROTATION_PEOPLE = 500;
const MAX_ROTATION_DAYS = 366;
const DWELL_MS = { least: 1_000, most: 300_000 };
/** Before, no version of this program ran; after, a date is a slip of the finger. */
const YEARS = { first: 2000, last: 2099 };

/** Everything that can be said against a roster without knowing the dialplan. An empty answer: it may be compiled. */
export function checkRoster(source: RosterSource): readonly Problem[] {
  const problems = new Problems('roster');
  const people = new Map<string, Person>();
  checkPeople(source, problems, people);
  checkServices(source, problems, people);
  return problems.found();
}

export function isE164(text: string): boolean {
  return E164.test(text);
}

export function isExtensionNumber(text: string): boolean {
  return EXTENSION.test(text);
}

export function isId(text: string): boolean {
  return ID.test(text);
}

function checkPeople(source: RosterSource, problems: Problems, people: Map<string, Person>): void {
  const desks = new Map<string, Person>();
  for (const person of source.people) {
    const at = `people.${person.id}`;
    if (people.has(person.id)) problems.add(at, `${person.id} is defined twice`, 'give one of them another id', KEY);
    people.set(person.id, person);
    checkId(person.id, at, problems);
    if ((dutyTiers as readonly string[]).includes(person.id)) {
      problems.add(at, `"${person.id}" names a tier, not a person`, 'give the person another id', KEY);
    }
    if (person.desk !== undefined) checkDesk(person, person.desk, desks, problems);
    if (person.mobile !== undefined && !isE164(person.mobile)) {
      const remedy = 'write it with + and the country code, without spaces: "+12025550111"';
      problems.add(`${at}.mobile`, `${person.mobile} is not an E.164 number`, remedy);
    }
    if (person.desk === undefined && person.mobile === undefined) {
      problems.add(at, `${person.name} can be reached by no device`, 'add desk, mobile or both');
    }
  }
}

function checkDesk(person: Person, desk: string, desks: Map<string, Person>, problems: Problems): void {
  const at = `people.${person.id}.desk`;
  if (!isExtensionNumber(desk)) {
    problems.add(at, `"${desk}" is not an extension`, 'write the extension of the desk phone in digits: 3101');
  }
  const other = desks.get(desk);
  if (other) problems.add(at, `extension ${desk} is already the desk of ${other.id}`, 'a desk phone has one owner');
  desks.set(desk, person);
}

function checkServices(source: RosterSource, problems: Problems, people: Map<string, Person>): void {
  const ids = new Set<string>();
  const checkedChains = new Set<EscalationChain>();
  for (const service of source.services) {
    const at = `services.${service.id}`;
    if (ids.has(service.id)) problems.add(at, `${service.id} is defined twice`, 'give one of them another id', KEY);
    ids.add(service.id);
    checkId(service.id, at, problems);
    if (!isZone(service.zone)) {
      problems.add(`${at}.zone`, `unknown time zone "${service.zone}"`, 'use an IANA name such as America/Chicago');
    }
    for (const tier of dutyTiers) checkRules(service.tiers[tier] ?? [], `${at}.${tier}`, problems, people);
    for (const urgency of urgencies) {
      const chain = service.chains[urgency];
      // Services share chains: say it once.
      if (!checkedChains.has(chain)) checkChain(chain, problems, people);
      checkedChains.add(chain);
    }
  }
}

function checkRules(rules: readonly RosterRule[], at: string, problems: Problems, people: Map<string, Person>): void {
  if (rules.length > MAX_RULES) {
    problems.add(at, `${rules.length} rules in one tier`, `use at most ${MAX_RULES}`);
  }
  for (const [i, rule] of rules.entries()) {
    if (rule.kind === 'always') {
      if (!people.has(rule.person)) problems.unknown(`${at}.${i}.always`, 'person', rule.person, people.keys());
    } else {
      checkRotation(rule, `${at}.${i}`, problems, people);
    }
  }
}

function checkRotation(
  rule: Extract<RosterRule, { kind: 'rotation' }>,
  at: string,
  problems: Problems,
  people: Map<string, Person>,
): void {
  if (rule.people.length === 0) {
    problems.add(`${at}.rotation`, 'a rotation of nobody', 'name at least one person: rotation: [dr-ames]');
  }
  if (rule.people.length > MAX_ROTATION_PEOPLE) {
    problems.add(`${at}.rotation`, `${rule.people.length} people rotate`, `use at most ${MAX_ROTATION_PEOPLE}`);
  }
  for (const [i, person] of rule.people.entries()) {
    if (!people.has(person)) problems.unknown(`${at}.rotation.${i}`, 'person', person, people.keys());
  }
  if (!Number.isInteger(rule.everyDays) || rule.everyDays < 1 || rule.everyDays > MAX_ROTATION_DAYS) {
    problems.add(`${at}.every`, `a turn of ${rule.everyDays} days`, `use 1 to ${MAX_ROTATION_DAYS} whole days`);
  }
  const year = Number(rule.since.slice(0, 4));
  if (wall(rule.since) === null) {
    problems.add(`${at}.since`, `"${rule.since}" is no date that exists`, 'write the first hand-off as 2026-01-05');
  } else if (year < YEARS.first || year > YEARS.last) {
    problems.add(`${at}.since`, `the year ${year} is out of range`, `use ${YEARS.first} to ${YEARS.last}`);
  }
}

function checkChain(chain: EscalationChain, problems: Problems, people: Map<string, Person>): void {
  const at = `chains.${chain.id}`;
  checkId(chain.id, at, problems);
  if (chain.steps.length === 0) problems.add(`${at}.steps`, 'a chain without steps rings nobody', 'add a step');
  if (chain.steps.length > MAX_STEPS) {
    problems.add(`${at}.steps`, `${chain.steps.length} steps in one chain`, `use at most ${MAX_STEPS}`);
  }
  for (const [i, step] of chain.steps.entries()) checkStep(step, `${at}.steps.${i}`, problems, people);
}

function checkStep(step: EscalationStep, at: string, problems: Problems, people: Map<string, Person>): void {
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
    if (target.kind === 'tier') continue;
    const person = people.get(target.person);
    if (!person) {
      problems.unknown(`${at}.ring.${i}`, 'tier or person', target.person, [...dutyTiers, ...people.keys()]);
    } else if (step.devices.length > 0 && step.devices.every((device) => person[device] === undefined)) {
      const devices = step.devices.join(' and ');
      problems.add(
        `${at}.ring.${i}`,
        `${person.name} has no ${devices}`,
        `add one to people.${person.id}, or change on:`,
      );
    }
  }
}

function checkId(id: string, at: string, problems: Problems): void {
  if (isId(id)) return;
  problems.add(at, `"${id}" cannot be an id`, 'use small letters, digits and hyphens, at most 64: dr-ames', KEY);
}

const KEY = { on: 'key' } as const;
