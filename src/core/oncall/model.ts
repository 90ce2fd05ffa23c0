import type { Instant, Span } from '../time/index.ts';
import type { ShiftOverride } from './override.ts';
import type { Person, Specialty, Unit } from './people.ts';
import type { Feed, HolidayCalendar, RosterRule, TemporaryRoster } from './rules.ts';
import type {
  Device,
  DutyTier,
  PersonId,
  ServiceId,
  ServicePlace,
  SpecialtyId,
  UnitId,
  Urgency,
} from './vocabulary.ts';

/** Who a chain step rings: whoever holds a tier at that second, or a named person or post. */
export type StepTarget =
  /** `service`: of another service, such as the supervisor of the house; without it of the one that was called. */
  | { readonly kind: 'tier'; readonly tier: DutyTier; readonly service?: ServiceId }
  | { readonly kind: 'person'; readonly person: PersonId };

/** preferred: the phones that the person prefers at that moment; all of them when no preference fits. */
export type StepDevice = Device | 'preferred';

export interface EscalationStep {
  readonly targets: readonly StepTarget[];
  readonly devices: readonly StepDevice[];
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

export interface ClinicalService {
  readonly id: ServiceId;
  readonly name: string;
  readonly zone: string;
  readonly tiers: Readonly<Partial<Record<DutyTier, readonly RosterRule[]>>>;
  readonly specialty?: SpecialtyId;
  /** Which it looks after. */
  readonly units?: readonly UnitId[];
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
  readonly units?: readonly Unit[];
  readonly specialties?: readonly Specialty[];
  readonly holidays?: readonly HolidayCalendar[];
  readonly temporary?: readonly TemporaryRoster[];
  readonly feeds?: readonly Feed[];
}

/** What stands beside the name is looked up when it is read: deciding who is on call takes the name alone. */
export interface OnCallAnswer {
  readonly personId: PersonId;
  /** The record, with the telephone numbers. */
  readonly person: Person;
  readonly tier: DutyTier;
  /** In words a nurse manager reads: "weekly rotation since 2026-01-05 08:00, on duty until 2026-11-23 08:00". */
  readonly because: string;
  readonly since: Instant;
  readonly until: Instant;
}

/** A shift, or a part of one, during which the same people are on call for a tier. */
export interface DutySpan extends Span {
  readonly people: readonly OnCallAnswer[];
}

export type OnCallResult =
  | {
      readonly kind: 'onCall';
      readonly answer: OnCallAnswer;
      /** Whom an override has added: they are on call together. */
      readonly also?: readonly OnCallAnswer[];
      /** When anybody of them comes or goes; left out when that is the end of the answer's own shift. */
      readonly changesAt?: Instant;
    }
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
  /** Of the house; preferences are by it. */
  readonly zone: string;
  readonly overrides: readonly ShiftOverride[];
  person(id: PersonId): Person | undefined;
  personByDesk(extension: string): Person | undefined;
  service(id: ServiceId): ClinicalService | undefined;
  services(): readonly ClinicalService[];
  /** By place: the very strings that a right guess is known by. */
  serviceIds(): readonly ServiceId[];
  /** Among `services()`. A guess that is right spares the look-up by name. */
  placeOf(id: ServiceId, guess?: ServicePlace): ServicePlace | undefined;
  people(): readonly Person[];
  units(): readonly Unit[];
  /** Whose phone an extension is. */
  unitByPhone(extension: string): Unit | undefined;
  specialties(): readonly Specialty[];
  /** `place`: where the service may stand; a wrong one costs a look-up. */
  whoIsOnCall(service: ServiceId, tier: DutyTier, at: Instant, place?: ServicePlace): OnCallResult;
  /** The spans that `whoIsOnCall` answers from, in order: no two overlap, and nobody is on call between them. */
  shifts(service: ServiceId, tier: DutyTier): readonly DutySpan[];
  /** The same version with other overrides in place of these; what they do not touch is shared. */
  withOverrides(overrides: readonly ShiftOverride[]): CompiledRoster;
  /** Lays out one more tier, so that no question has to; false when all are. */
  layOutNext(): boolean;
}
