import type { WeeklyStretch } from './rules.ts';
import type { Device, PersonId, ServiceId, SpecialtyId, UnitId, Urgency } from './vocabulary.ts';

export const onCallRoles = [
  'attending',
  'consultant',
  'fellow',
  'registrar',
  'resident',
  'nurse',
  'technician',
  'house-supervisor',
  'post',
] as const;
/** What somebody is, on duty or not. A post is rung whoever sits there. */
export type OnCallRole = (typeof onCallRoles)[number];

/** Somebody, or a post such as the operator, who can be rung. */
export interface Person {
  readonly id: PersonId;
  /** As spoken and shown: "Dr Ames". */
  readonly name: string;
  readonly role?: OnCallRole;
  readonly specialty?: SpecialtyId;
  /** Extension of the desk phone. */
  readonly desk?: string;
  /** E.164, reached through a trunk. */
  readonly mobile?: string;
  /** Further phones by name: "home": an E.164 number rings as a mobile does, an extension as a desk phone does. */
  readonly numbers?: Readonly<Record<string, string>>;
  /** The first that fits the moment, the place and the urgency says which phones a step with `preferred` rings. */
  readonly prefers?: readonly ContactPreference[];
  readonly leave?: readonly Leave[];
  /** Somebody is always there: a post that may be the last resort of a call. */
  readonly staffed?: true;
}

/** Whom the house turns to when nobody else is there. */
export function isHouseSupervisor({ role }: Pick<Person, 'role'>): boolean {
  return role === 'house-supervisor';
}

/** What is left out fits everything. */
export interface ContactPreference {
  /** By the clock on the wall in the zone of the roster. */
  readonly during?: readonly WeeklyStretch[];
  readonly urgencies?: readonly Urgency[];
  /** On duty for one of these. */
  readonly services?: readonly ServiceId[];
  /** The call comes from a phone of one of these units. */
  readonly from?: readonly UnitId[];
  /** "desk", "mobile" or a name in `numbers`. */
  readonly contacts: readonly string[];
}

/** Away: no rule puts the person on call; an override does. Wall clock in the zone of the service. */
export interface Leave {
  readonly from: string;
  readonly until: string;
  /** "vacation" */
  readonly kind: string;
}

/** A ward, a laboratory, a department: where calls come from. */
export interface Unit {
  readonly id: UnitId;
  readonly name: string;
  readonly facility?: string;
  /** Extensions of its phones. */
  readonly phones: readonly string[];
}

export interface Specialty {
  readonly id: SpecialtyId;
  readonly name: string;
}

/** The number behind "desk", "mobile" or a name; undefined when the person has no such phone. */
export function numberOf(person: Person, contact: string): string | undefined {
  if (contact === 'desk') return person.desk;
  if (contact === 'mobile') return person.mobile;
  const numbers = person.numbers ?? {};
  return Object.hasOwn(numbers, contact) ? numbers[contact] : undefined;
}

/** All phones of a person, desk and mobile first. */
export function contactsOf(person: Person): readonly string[] {
  const own = (['desk', 'mobile'] as const).filter((device) => person[device] !== undefined);
  return [...own, ...Object.keys(person.numbers ?? {})];
}

/** E.164 numbers ring as mobiles: whatever answers them may be a machine. */
export function deviceOf(contact: string, number: string): Device {
  if (contact === 'desk' || contact === 'mobile') return contact;
  return number.startsWith('+') ? 'mobile' : 'desk';
}
