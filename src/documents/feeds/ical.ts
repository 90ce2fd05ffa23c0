import ICAL from 'ical.js';
import type { Publication, PublishedShift } from '../../core/oncall/index.ts';
import { type Instant, instant, type Span, type Wall, zone } from '../../core/time/index.ts';
import { readTitle } from './title.ts';

const MAX_EVENTS = 20_000;
/** Of all events together. */
const MAX_OCCURRENCES = 50_000;

/**
 * The shifts of a calendar (RFC 5545) that touch a span. Times with a zone are read by the zone's name, those without
 * one in the feed's zone; recurring events are unfolded. Throws for what is no calendar.
 */
export function shiftsOfCalendar(
  text: string,
  { zoneName, title, within }: { readonly zoneName: string; readonly title: string; readonly within: Span },
): Publication {
  // Counted before anything is built of them.
  const written = text.split(/^BEGIN:VEVENT/im, MAX_EVENTS + 2).length - 1;
  if (written > MAX_EVENTS) throw new Error(`it has over ${MAX_EVENTS} events`);
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown[]);
  if (calendar.name !== 'vcalendar') throw new Error('it is no calendar');
  const events = calendar.getAllSubcomponents('vevent');
  const shifts: PublishedShift[] = [];
  let writtenAt: number | null = null;
  let occurrences = 0;
  // One instance of a series that was moved stands as an event of its own, and takes the place of the instance.
  const moved = new Set(events.filter((event) => event.hasProperty('recurrence-id')).map(instanceOf));
  for (const component of events) {
    for (const name of ['last-modified', 'dtstamp']) {
      const stamp = component.getFirstPropertyValue(name);
      if (stamp instanceof ICAL.Time) writtenAt = Math.max(writtenAt ?? 0, epochOf(stamp, zoneName));
    }
    if (component.getFirstPropertyValue('status') === 'CANCELLED') continue;
    // Moved instances are known above; the library would look through all events for each.
    const event = new ICAL.Event(component, { exceptions: [] });
    const { who, as } = readTitle(event.summary ?? '', title);
    const take = (start: ICAL.Time, end: ICAL.Time) => {
      const [from, to] = [epochOf(start, zoneName), epochOf(end, zoneName)];
      if (to > within.from && from < within.to) shifts.push({ who, as, from, to });
    };
    if (!event.isRecurring() || component.hasProperty('recurrence-id')) {
      take(event.startDate, event.endDate);
      continue;
    }
    const iterator = event.iterator();
    for (let start = iterator.next(); start; start = iterator.next()) {
      if (++occurrences > MAX_OCCURRENCES) throw new Error(`its recurring events come over ${MAX_OCCURRENCES} times`);
      if (epochOf(start, zoneName) >= within.to) break;
      if (moved.has(`${event.uid} ${start.toString()}`)) continue;
      const { startDate, endDate } = event.getOccurrenceDetails(start);
      take(startDate, endDate);
    }
  }
  return { shifts, writtenAt: writtenAt === null ? null : instant(writtenAt) };
}

function instanceOf(component: ICAL.Component): string {
  return `${String(component.getFirstPropertyValue('uid'))} ${String(component.getFirstPropertyValue('recurrence-id'))}`;
}

/** By our own rules for nights when clocks change: the library takes what the calendar itself says about its zones. */
function epochOf(time: ICAL.Time, zoneName: string): Instant {
  const wall = Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second) as Wall;
  if (time.zone === ICAL.Timezone.utcTimezone) return instant(wall);
  const named = time.zone?.tzid;
  return zone(named !== undefined && named !== 'floating' && isKnown(named) ? named : zoneName).toInstant(wall);
}

function isKnown(name: string): boolean {
  try {
    zone(name);
    return true;
  } catch {
    return false;
  }
}
