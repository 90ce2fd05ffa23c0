import type { CompiledRoster, RosterSource } from './model.ts';
import type { Person, Unit } from './people.ts';
import type { PersonId, ServicePlace } from './vocabulary.ts';

export type RosterIndex = Pick<
  CompiledRoster,
  'person' | 'personByDesk' | 'service' | 'services' | 'placeOf' | 'people' | 'units' | 'unitByPhone' | 'specialties'
>;

/** Finds people and services by name; says nothing about time. */
export function indexRoster(source: RosterSource): RosterIndex {
  const people = new Map<PersonId, Person>();
  const byDesk = new Map<string, Person>();
  for (const person of source.people) {
    people.set(person.id, person);
    if (person.desk !== undefined) byDesk.set(person.desk, person);
  }
  const { services } = source;
  const ids = services.map(({ id }) => id);
  const places = new Map(ids.map((id, place) => [id, place as ServicePlace]));
  const units = source.units ?? [];
  const byPhone = new Map<string, Unit>();
  for (const unit of units) for (const phone of unit.phones) byPhone.set(phone, unit);
  return {
    person: (id) => people.get(id),
    personByDesk: (extension) => byDesk.get(extension),
    service: (id) => services[places.get(id) ?? -1],
    services: () => services,
    placeOf: (id, guess) => (guess !== undefined && ids[guess] === id ? guess : places.get(id)),
    people: () => source.people,
    units: () => units,
    unitByPhone: (extension) => byPhone.get(extension),
    specialties: () => source.specialties ?? [],
  };
}
