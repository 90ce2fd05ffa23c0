import ICAL from 'ical.js';
import type { CompiledRoster, DutyTier, PersonId, ServiceId } from '../../core/oncall/index.ts';
import { dutyTiers } from '../../core/oncall/index.ts';
import type { Instant, Span } from '../../core/time/index.ts';

/** Whose duties: of a person in all services, or of a service. */
export type CalendarOf =
  | { readonly person: PersonId; readonly service?: undefined }
  | { readonly service: ServiceId; readonly person?: undefined };

/** Duties as a calendar (RFC 5545), an event each, in UTC. The same duty has the same UID in every export. */
export function calendarOf(roster: CompiledRoster, of: CalendarOf, within: Span, now: Instant): string {
  const calendar = new ICAL.Component('vcalendar');
  calendar.updatePropertyWithValue('version', '2.0');
  calendar.updatePropertyWithValue('prodid', '-//Wardline//on call//EN');
  for (const service of roster.services()) {
    if (of.service !== undefined && service.id !== of.service) continue;
    for (const tier of dutyTiers) {
      for (const { people, from, to } of roster.shifts(service.id, tier)) {
        if (to <= within.from || from >= within.to) continue;
        for (const { person, because } of people) {
          if (of.person !== undefined && person.id !== of.person) continue;
          calendar.addSubcomponent(
            event({
              uid: uidOf(service.id, tier, person.id, from),
              title: `${person.name}: ${service.name}, ${tier}`,
              because,
              from,
              to,
              now,
            }),
          );
        }
      }
    }
  }
  return `${calendar.toString()}\r\n`;
}

function uidOf(service: ServiceId, tier: DutyTier, person: PersonId, from: Instant): string {
  return `${service}.${tier}.${person}.${from}@wardline`;
}

function event(shift: {
  uid: string;
  title: string;
  because: string;
  from: Instant;
  to: Instant;
  now: Instant;
}): ICAL.Component {
  const component = new ICAL.Component('vevent');
  const time = (at: Instant) => ICAL.Time.fromJSDate(new Date(at), true);
  component.updatePropertyWithValue('uid', shift.uid);
  component.updatePropertyWithValue('dtstamp', time(shift.now));
  component.updatePropertyWithValue('dtstart', time(shift.from));
  component.updatePropertyWithValue('dtend', time(shift.to));
  component.updatePropertyWithValue('summary', shift.title);
  component.updatePropertyWithValue('description', shift.because);
  return component;
}
