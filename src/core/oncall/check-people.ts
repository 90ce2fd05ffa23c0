import type { RosterSource } from './model.ts';
import type { ById } from './by-id.ts';
import { byId, checkId, isE164, isExtensionNumber, KEY } from './names.ts';
import { contactsOf, numberOf, type Person } from './people.ts';
import type { Problems } from './problem.ts';
import { dutyTiers } from './vocabulary.ts';
import { checkPeriod } from './check-times.ts';

const MAX = { numbers: 10, preferences: 20, leaves: 200, phones: 500 };

/** People, the units whose phones they are called from, and the specialties they have. */
export function checkPeople(source: RosterSource, named: Named, problems: Problems): ById<Person> {
  const people = byId('people', source.people, problems);
  const desks = new Map<string, Person>();
  for (const person of source.people) {
    const at = `people.${person.id}`;
    if (tierNames.has(person.id)) {
      problems.add(at, `"${person.id}" names a tier, not a person`, 'give the person another id', KEY);
    }
    if (person.desk !== undefined) checkDesk(person, person.desk, desks, problems);
    if (person.mobile !== undefined && !isE164(person.mobile)) {
      problems.add(`${at}.mobile`, `${person.mobile} is not an E.164 number`, E164_REMEDY);
    }
    if (person.desk === undefined && person.mobile === undefined) {
      problems.add(at, `${person.name} can be reached by no device`, 'add desk, mobile or both');
    }
    checkNumbers(person, problems);
    checkPreferences(person, named, problems);
    checkLeave(person, problems);
    if (person.specialty !== undefined) checkSpecialty(person.specialty, `${at}.specialty`, named, problems);
  }
  checkUnits(source, problems);
  byId('specialties', source.specialties ?? [], problems);
  return people;
}

/** Names that others may use: looked up once, for there may be as many uses as names. */
export interface Named {
  readonly specialties: ReadonlySet<string>;
  readonly units: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

export function namedIn({ specialties = [], units = [], services }: RosterSource): Named {
  const ids = (all: readonly { readonly id: string }[]) => new Set(all.map(({ id }) => id));
  return { specialties: ids(specialties), units: ids(units), services: ids(services) };
}

export function checkSpecialty(id: string, at: string, { specialties }: Named, problems: Problems): void {
  if (!specialties.has(id)) problems.unknown(at, 'specialty', id, specialties);
}

const tierNames: ReadonlySet<string> = new Set(dutyTiers);

const E164_REMEDY = 'write it with + and the country code, without spaces: "+12025550111"';

function checkDesk(person: Person, desk: string, desks: Map<string, Person>, problems: Problems): void {
  const at = `people.${person.id}.desk`;
  if (!isExtensionNumber(desk)) {
    problems.add(at, `"${desk}" is not an extension`, 'write the extension of the desk phone in digits: 3101');
  }
  const other = desks.get(desk);
  if (other) problems.add(at, `extension ${desk} is already the desk of ${other.id}`, 'a desk phone has one owner');
  desks.set(desk, person);
}

function checkNumbers({ id, numbers }: Person, problems: Problems): void {
  if (numbers === undefined) return;
  const names = Object.keys(numbers);
  if (names.length > MAX.numbers) {
    problems.add(`people.${id}.numbers`, `${names.length} further numbers`, `use at most ${MAX.numbers}`);
  }
  for (const name of names) {
    const at = `people.${id}.numbers.${name}`;
    const number = numbers[name]!;
    checkId(name, at, problems);
    if (name === 'desk' || name === 'mobile' || name === 'preferred') {
      problems.add(at, `"${name}" has a place of its own`, 'use another name: home', KEY);
    }
    if (isE164(number) || isExtensionNumber(number)) continue;
    problems.add(at, `${number} is neither an extension nor an E.164 number`, E164_REMEDY);
  }
}

function checkPreferences(person: Person, { units, services }: Named, problems: Problems): void {
  const all = person.prefers;
  if (all === undefined) return;
  const at = `people.${person.id}.prefer`;
  if (all.length > MAX.preferences) problems.add(at, `${all.length} preferences`, `use at most ${MAX.preferences}`);
  for (const [i, preference] of all.entries()) {
    if (preference.contacts.length === 0) {
      problems.add(`${at}.${i}.ring`, 'a preference for no phone', 'name phones: ring: [mobile]');
    }
    for (const [j, contact] of preference.contacts.entries()) {
      if (numberOf(person, contact) === undefined) {
        problems.unknown(`${at}.${i}.ring.${j}`, 'phone of this person', contact, contactsOf(person));
      }
    }
    for (const [j, id] of (preference.from ?? []).entries()) {
      if (!units.has(id)) problems.unknown(`${at}.${i}.from.${j}`, 'unit', id, units);
    }
    for (const [j, id] of (preference.services ?? []).entries()) {
      if (!services.has(id)) problems.unknown(`${at}.${i}.services.${j}`, 'service', id, services);
    }
  }
}

function checkLeave({ id, leave }: Person, problems: Problems): void {
  if (leave === undefined) return;
  const at = `people.${id}.leave`;
  if (leave.length > MAX.leaves) problems.add(at, `${leave.length} times of leave`, `use at most ${MAX.leaves}`);
  for (const [i, period] of leave.entries()) checkPeriod(period, `${at}.${i}`, problems);
}

function checkUnits({ units = [] }: RosterSource, problems: Problems): void {
  byId('units', units, problems);
  const owners = new Map<string, string>();
  for (const unit of units) {
    const at = `units.${unit.id}.phones`;
    if (unit.phones.length > MAX.phones) problems.add(at, `${unit.phones.length} phones`, `use at most ${MAX.phones}`);
    for (const [i, phone] of unit.phones.entries()) {
      if (!isExtensionNumber(phone)) {
        problems.add(`${at}.${i}`, `"${phone}" is not an extension`, 'write the extension in digits: 2101');
      }
      const other = owners.get(phone);
      if (other !== undefined) {
        problems.add(`${at}.${i}`, `extension ${phone} is already a phone of ${other}`, 'a phone belongs to one unit');
      }
      owners.set(phone, unit.id);
    }
  }
}
