import {
  type CompiledRoster,
  didYouMean,
  dutyTiers,
  type OverrideRequest,
  type ServiceId,
} from '../../core/oncall/index.ts';
import type { Instant, Span } from '../../core/time/index.ts';
import { Refusal } from '../report.ts';
import { instantFrom } from '../site.ts';
import { note, showTime } from '../site-time.ts';

/** The duty that an override is about. */
export type Place = Pick<OverrideRequest, 'service' | 'tier'>;

export function placeOf(roster: CompiledRoster, service: string, tier: string): Place {
  const known = roster.services().map(({ id }) => id as string);
  if (!known.includes(service)) {
    const meant = didYouMean(service, known);
    throw new Refusal(`there is no service ${service}${meant === null ? '' : `; did you mean ${meant}?`}`);
  }
  const found = dutyTiers.find((one) => one === tier);
  if (found === undefined) throw new Refusal(`there is no tier ${tier}: there are ${dutyTiers.join(', ')}`);
  return { service: service as ServiceId, tier: found };
}

export function zoneOf(roster: CompiledRoster, { service }: Pick<Place, 'service'>): string {
  return roster.service(service)?.zone ?? roster.zone;
}

export function spanOf(
  options: { readonly from?: string; readonly until?: string },
  place: Place,
  roster: CompiledRoster,
  now: Instant,
): Span {
  const zoneName = zoneOf(roster, place);
  const from = options.from === undefined ? now : instantFrom(options.from, zoneName, note, '--from');
  if (options.until !== undefined) return { from, to: instantFrom(options.until, zoneName, note, '--until') };
  return { from, to: shiftAround(roster, place, from).to };
}

export function shiftAround(roster: CompiledRoster, { service, tier }: Place, at: Instant): Span {
  const result = roster.whoIsOnCall(service, tier, at);
  if (result.kind !== 'onCall') {
    throw new Refusal(`nobody is ${tier} of ${service} at ${showTime(at, zoneOf(roster, { service }))}: give --until`);
  }
  const { since, until } = result.answer;
  if (until >= roster.window.to) throw new Refusal(`the ${tier} of ${service} has no end then: give --until`);
  return { from: since, to: until };
}
