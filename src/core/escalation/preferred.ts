import type { World } from '../call/world.ts';
import {
  contactsOf,
  type ContactPreference,
  isWithin,
  type Person,
  type ServiceId,
  type StepDevice,
  type Urgency,
} from '../oncall/index.ts';
import { zone } from '../time/index.ts';
import type { Situation } from './model.ts';

interface Asked {
  readonly world: World;
  readonly situation: Situation;
  readonly service: ServiceId;
  readonly urgency: Urgency;
}

/**
 * The phones that a step means by a device, in rounds: those of a later round ring only when none of the earlier ones
 * can. `preferred` means what the person prefers now; a preference never makes anybody unreachable, so that all other
 * phones of the person are the second round.
 */
export function contactRounds(device: StepDevice, person: Person, asked: Asked): readonly (readonly string[])[] {
  if (device !== 'preferred') return [[device]];
  const all = contactsOf(person);
  const preference = person.prefers?.find((one) => fits(one, asked));
  if (preference === undefined) return [all];
  return [preference.contacts, all.filter((contact) => !preference.contacts.includes(contact))];
}

function fits(preference: ContactPreference, { world, situation, service, urgency }: Asked): boolean {
  const { during, urgencies, services, from } = preference;
  if (urgencies !== undefined && !urgencies.includes(urgency)) return false;
  if (services !== undefined && !services.includes(service)) return false;
  if (from !== undefined) {
    const caller = situation.from;
    const unit = caller.kind === 'phone' ? world.roster.unitByPhone(caller.extension) : undefined;
    if (unit === undefined || !from.includes(unit.id)) return false;
  }
  return during === undefined || isWithin(during, zone(world.roster.zone).toWall(world.at));
}
