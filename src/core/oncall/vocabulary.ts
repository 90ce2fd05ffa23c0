export type PersonId = string & { readonly __brand: 'PersonId' };
export type ServiceId = string & { readonly __brand: 'ServiceId' };
/** Position of a service in a roster. */
export type ServicePlace = number & { readonly __brand: 'ServicePlace' };
export type UnitId = string & { readonly __brand: 'UnitId' };
export type SpecialtyId = string & { readonly __brand: 'SpecialtyId' };

/** In the order in which a list shows them. */
export const dutyTiers = ['primary', 'backup', 'fellow', 'attending', 'supervisor'] as const;
export type DutyTier = (typeof dutyTiers)[number];
export type Urgency = 'stat' | 'urgent' | 'routine';

/** How a phone behaves: picking up a desk phone is an acceptance, a mobile has to prove that a human answered. */
export type Device = 'desk' | 'mobile';
