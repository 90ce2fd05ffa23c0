import type { Instant } from '../time/index.ts';

export type PersonId = string & { readonly __brand: 'PersonId' };
export type ServiceId = string & { readonly __brand: 'ServiceId' };

export const dutyTiers = ['primary', 'backup', 'attending'] as const;
export type DutyTier = (typeof dutyTiers)[number];
export type Urgency = 'stat' | 'urgent' | 'routine';
export type Device = 'desk' | 'mobile';

/** Somebody, or a post such as the operator, who can be rung. */
export interface Person {
  readonly id: PersonId;
  /** As spoken and shown: "Dr Ames". */
  readonly name: string;
  /** Extension of the desk phone. */
  readonly desk?: string;
  /** E.164, reached through a trunk. */
  readonly mobile?: string;
  /** Somebody is always there: a post that may be the last resort of a call. */
  readonly staffed?: true;
}

/** Who a chain step rings: whoever holds a tier at that second, or a named person or post. */
export type StepTarget =
  | { readonly kind: 'tier'; readonly tier: DutyTier }
  | { readonly kind: 'person'; readonly person: PersonId };

export interface EscalationStep {
  readonly targets: readonly StepTarget[];
  readonly devices: readonly Device[];
  readonly dwellMs: number;
}

export interface EscalationChain {
  readonly id: string;
  readonly steps: readonly EscalationStep[];
  /** How long it may take to the last resort; without it, as long as the urgency allows. */
  readonly withinMs?: number;
  /** Where the caller goes when nobody has accepted. */
  readonly lastResort: { readonly kind: 'voicemail'; readonly urgent: boolean };
}

/** One layer of a tier. Later rules stand behind earlier ones: the first that names somebody answers. */
export type RosterRule =
  | {
      readonly kind: 'rotation';
      readonly everyDays: number;
      /** First hand-off, wall clock in the roster's zone: "2026-01-05T08:00". */
      readonly since: string;
      readonly people: readonly PersonId[];
    }
  | { readonly kind: 'always'; readonly person: PersonId };

export interface ClinicalService {
  readonly id: ServiceId;
  readonly name: string;
  readonly zone: string;
  readonly tiers: Readonly<Partial<Record<DutyTier, readonly RosterRule[]>>>;
  readonly mailbox: string;
  readonly chains: Readonly<Record<Urgency, EscalationChain>>;
}

/** What `oncall/` says, checked and joined, before it is compiled. */
export interface RosterSource {
  /** Content hash, "sha256:…"; names this version in the audit. */
  readonly version: string;
  readonly zone: string;
  readonly people: readonly Person[];
  readonly services: readonly ClinicalService[];
}

export interface OnCallAnswer {
  readonly person: Person;
  readonly tier: DutyTier;
  /** In words a nurse manager reads: "weekly rotation since 2026-01-05 08:00, on duty until 2026-11-23 08:00". */
  readonly because: string;
  readonly since: Instant;
  readonly until: Instant;
}

export type OnCallResult =
  | { readonly kind: 'onCall'; readonly answer: OnCallAnswer }
  | {
      readonly kind: 'nobodyOnCall';
      readonly service: ServiceId;
      readonly tier: DutyTier;
      readonly because: string;
      /** When somebody will be, if the rules say so. */
      readonly until?: Instant;
    }
  | { readonly kind: 'outsideWindow'; readonly from: Instant; readonly to: Instant };

/** Rules laid out as spans in UTC for a window; answers are an index look-up, never date arithmetic. */
export interface CompiledRoster {
  readonly version: string;
  readonly window: { readonly from: Instant; readonly to: Instant };
  person(id: PersonId): Person | undefined;
  personByDesk(extension: string): Person | undefined;
  service(id: ServiceId): ClinicalService | undefined;
  services(): readonly ClinicalService[];
  people(): readonly Person[];
  whoIsOnCall(service: ServiceId, tier: DutyTier, at: Instant): OnCallResult;
  /** Lays out one more tier, so that no question has to; false when all are. */
  layOutNext(): boolean;
}
