import type { ClinicalService, CompiledRoster, Person, PersonId, RosterSource, ServiceId } from './model.ts';

export type RosterIndex = Pick<CompiledRoster, 'person' | 'personByDesk' | 'service' | 'services' | 'people'>;

/** Finds people and services by name; says nothing about time. */
export function indexRoster(source: RosterSource): RosterIndex {
  const people = new Map<PersonId, Person>();
  const byDesk = new Map<string, Person>();
  for (const person of source.people) {
    people.set(person.id, person);
    if (person.desk !== undefined) byDesk.set(person.desk, person);
  }
  const services = new Map<ServiceId, ClinicalService>(source.services.map((service) => [service.id, service]));
  return {
    person: (id) => people.get(id),
    personByDesk: (extension) => byDesk.get(extension),
    service: (id) => services.get(id),
    services: () => source.services,
    people: () => source.people,
  };
}
