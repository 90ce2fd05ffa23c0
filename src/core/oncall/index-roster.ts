import type { ClinicalService, CompiledRoster, RosterSource } from './model.ts';
import type { Person, Unit } from './people.ts';
import type { PersonId, ServiceId } from './vocabulary.ts';

export type RosterIndex = Pick<
  CompiledRoster,
  'person' | 'personByDesk' | 'service' | 'services' | 'people' | 'units' | 'unitByPhone' | 'specialties'
>;

/** Finds people and services by name; says nothing about time. */
export function indexRoster(source: RosterSource): RosterIndex {
  const people = new Map<PersonId, Person>();
  const byDesk = new Map<string, Person>();
  for (const person of source.people) {
    people.set(person.id, person);
    if (person.desk !== undefined) byDesk.set(person.desk, person);
  }
  const services = new Map<ServiceId, ClinicalService>(source.services.map((service) => [service.id, service]));
  const units = source.units ?? [];
  const byPhone = new Map<string, Unit>();
  for (const unit of units) for (const phone of unit.phones) byPhone.set(phone, unit);
  return {
    person: (id) => people.get(id),
    personByDesk: (extension) => byDesk.get(extension),
    service: (id) => services.get(id),
    services: () => source.services,
    people: () => source.people,
    units: () => units,
    unitByPhone: (extension) => byPhone.get(extension),
    specialties: () => source.specialties ?? [],
  };
}
