import { eachOf, inOneGo, type Work } from '../steps/index.ts';
import type { CompiledRoster, RosterSource } from './model.ts';
import { type PackedPeople, peopleBook } from './people-book.ts';
import type { Person, Unit } from './people.ts';
import type { PersonId, ServiceId, ServicePlace } from './vocabulary.ts';

export type RosterIndex = Pick<
  CompiledRoster,
  | 'person'
  | 'personByDesk'
  | 'service'
  | 'services'
  | 'serviceIds'
  | 'placeOf'
  | 'people'
  | 'units'
  | 'unitByPhone'
  | 'specialties'
>;

/** Finds people and services by name; says nothing about time. */
export function indexRoster(source: RosterSource): RosterIndex {
  const people = new Map<PersonId, Person>();
  const byDesk = new Map<string, Person>();
  for (const person of source.people) {
    people.set(person.id, person);
    if (person.desk !== undefined) byDesk.set(person.desk, person);
  }
  return {
    person: (id) => people.get(id),
    personByDesk: (extension) => byDesk.get(extension),
    people: () => source.people,
    ...inOneGo(indexingServices(source)),
  };
}

/** As much of it as checking a plan takes: nobody is looked for by name there. */
export function namesOfRoster(source: RosterSource): Omit<RosterIndex, 'person' | 'personByDesk'> {
  return { people: () => source.people, ...inOneGo(indexingServices(source)) };
}

/** The same, a little at a time, of a roster whose people stand in a book; `source.people` is not looked at. */
export function* indexingRoster(source: RosterSource, people: PackedPeople): Work<RosterIndex> {
  return { ...peopleBook(people), ...(yield* indexingServices(source)) };
}

function* indexingServices(
  source: RosterSource,
): Work<
  Pick<RosterIndex, 'service' | 'services' | 'serviceIds' | 'placeOf' | 'units' | 'unitByPhone' | 'specialties'>
> {
  const { services } = source;
  const ids: ServiceId[] = [];
  const places = new Map<ServiceId, ServicePlace>();
  yield* eachOf(services, ({ id }, place) => {
    ids.push(id);
    places.set(id, place as ServicePlace);
  });
  const units = source.units ?? [];
  const byPhone = new Map<string, Unit>();
  for (const unit of units) yield* eachOf(unit.phones, (phone) => void byPhone.set(phone, unit));
  return {
    service: (id) => services[places.get(id) ?? -1],
    services: () => services,
    serviceIds: () => ids,
    placeOf: (id, guess) => (guess !== undefined && Object.is(ids[guess], id) ? guess : places.get(id)),
    units: () => units,
    unitByPhone: (extension) => byPhone.get(extension),
    specialties: () => source.specialties ?? [],
  };
}
