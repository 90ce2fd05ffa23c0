import ICAL from 'ical.js';
import { type CompiledRoster, dutyTiers, type PersonId, type ServiceId } from '../../core/oncall/index.ts';
import type { DutyTier } from '../../core/oncall/index.ts';
import { type Instant, instant, type Span } from '../../core/time/index.ts';

/** Whose duties: of a person in all services, or of a service. */
export type CalendarOf =
  | { readonly person: PersonId; readonly service?: undefined }
  | { readonly service: ServiceId; readonly person?: undefined };

/** One duty as a calendar shows it. */
export interface CalendarDuty extends Span {
  readonly service: ServiceId;
  readonly tier: DutyTier;
  readonly person: PersonId;
  /** "Dr Ames: Cardiology, primary" */
  readonly title: string;
  /** By which rule. */
  readonly because: string;
  /** When it became what it is. */
  readonly changedAt: Instant;
}

/** Duties of a roster that touch a span. */
export function dutiesOf(roster: CompiledRoster, of: CalendarOf, within: Span, changedAt: Instant): CalendarDuty[] {
  return roster.services().flatMap((service) => {
    if (of.service !== undefined && service.id !== of.service) return [];
    return dutyTiers.flatMap((tier) => {
      return roster.shifts(service.id, tier).flatMap(({ people, from, to }) => {
        if (to <= within.from || from >= within.to) return [];
        const own = people.filter(({ personId }) => of.person === undefined || personId === of.person);
        return own.map(({ person, because }): CalendarDuty => {
          const title = `${person.name}: ${service.name}, ${tier}`;
          return { service: service.id, tier, person: person.id, title, because, from, to, changedAt };
        });
      });
    });
  });
}

/** Duties as a calendar (RFC 5545), an event each, in UTC. The same duty has the same UID in every export. */
export function calendarOf(roster: CompiledRoster, of: CalendarOf, within: Span, now: Instant): string {
  return calendarText(dutiesOf(roster, of, within, now), 'On call');
}

/** The same duties make the same text. */
export function calendarText(duties: readonly CalendarDuty[], name: string): string {
  const calendar = new ICAL.Component('vcalendar');
  calendar.updatePropertyWithValue('version', '2.0');
  calendar.updatePropertyWithValue('prodid', '-//Wardline//on call//EN');
  calendar.updatePropertyWithValue('method', 'PUBLISH');
  // RFC 7986 5.1 and 5.7, and what programs understand that are older than it.
  calendar.updatePropertyWithValue('name', name);
  calendar.updatePropertyWithValue('x-wr-calname', name);
  calendar.updatePropertyWithValue('refresh-interval', ICAL.Duration.fromSeconds(REFRESH_S));
  calendar.updatePropertyWithValue('x-published-ttl', 'PT1H');
  for (const duty of duties) calendar.addSubcomponent(eventOf(duty));
  return `${calendar.toString()}\r\n`;
}

const REFRESH_S = 3_600;
/** SEQUENCE has 31 bits: seconds from here on go up with every change, for 68 years. */
const SEQUENCE_FROM = Date.UTC(2026, 0, 1);

function eventOf({ service, tier, person, title, because, from, to, changedAt }: CalendarDuty): ICAL.Component {
  const component = new ICAL.Component('vevent');
  const time = (at: Instant) => ICAL.Time.fromJSDate(new Date(at), true);
  component.updatePropertyWithValue('uid', `${service}.${tier}.${person}.${from}@wardline`);
  component.updatePropertyWithValue('dtstamp', time(changedAt));
  component.updatePropertyWithValue('last-modified', time(changedAt));
  component.updatePropertyWithValue('sequence', Math.max(0, Math.floor((changedAt - SEQUENCE_FROM) / 1_000)));
  component.updatePropertyWithValue('dtstart', time(from));
  component.updatePropertyWithValue('dtend', time(to));
  component.updatePropertyWithValue('summary', title);
  component.updatePropertyWithValue('description', because);
  // Whoever is on call may have other appointments.
  component.updatePropertyWithValue('transp', 'TRANSPARENT');
  return component;
}

/** When a calendar changed last; null for an empty one. */
export function changedLast(duties: readonly CalendarDuty[]): Instant | null {
  return duties.length === 0 ? null : instant(Math.max(...duties.map(({ changedAt }) => changedAt)));
}
