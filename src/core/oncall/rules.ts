import type { Holiday, Instant } from '../time/index.ts';
import type { DutyTier, PersonId, ServiceId } from './vocabulary.ts';

/** A stretch of every week by the clock on the wall. Past 1440 minutes it ends on the day after. */
export interface WeeklyStretch {
  /** ISO 8601: Monday is 1. The day on which it begins. */
  readonly weekday: number;
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** When a rule answers; without any limit it always does. */
export interface Limits {
  readonly during?: readonly WeeklyStretch[];
  /** Counted by the day on which a stretch begins; without `during`, days are whole. */
  readonly holidays?: { readonly calendar: string; readonly answers: 'only' | 'never' };
}

/** By turns of whole days. */
export interface DailyRotation extends Limits {
  readonly kind: 'rotation';
  readonly everyDays: number;
  /** First hand-off, wall clock in the service's zone: "2026-01-05T08:00". */
  readonly since: string;
  readonly people: readonly PersonId[];
}

/** By turns of hours on the wall clock: every 12 hours from 07:00 hands off at 07:00 and 19:00 on any day. */
export interface HourlyRotation extends Limits {
  readonly kind: 'hourly';
  readonly everyHours: number;
  readonly since: string;
  readonly people: readonly PersonId[];
}

/** A holiday plan: each holiday of a calendar is a turn. The first one on or after `since` is the first person's. */
export interface HolidayRotation {
  readonly kind: 'holidays';
  readonly calendar: string;
  /** "2026-01-01" */
  readonly since: string;
  readonly people: readonly PersonId[];
  /** From when on the holiday until when, up to 24 h later; past 1440 on the day after. */
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** A shift that somebody wrote down, wall clock in the service's zone. */
export interface ListedShift {
  readonly person: PersonId;
  readonly from: string;
  readonly until: string;
}

/** One layer of a tier. Later rules stand behind earlier ones: the first that names somebody answers. */
export type RosterRule =
  | DailyRotation
  | HourlyRotation
  | HolidayRotation
  | ({ readonly kind: 'always'; readonly person: PersonId } & Limits)
  | { readonly kind: 'listed'; readonly shifts: readonly ListedShift[] }
  /** What another system published; `as` picks its shifts by their assignment there. */
  | { readonly kind: 'feed'; readonly feed: string; readonly as?: string };

export type HolidayRule = { readonly name: string } & Holiday;

export interface HolidayCalendar {
  readonly id: string;
  readonly days: readonly HolidayRule[];
}

/** Takes the place of the rules of some tiers for a while: a holiday season, a disaster. */
export interface TemporaryRoster {
  readonly id: string;
  readonly reason: string;
  readonly from: string;
  readonly until: string;
  /** Who answers where it names nobody. */
  readonly gaps: 'usual' | 'nobody';
  readonly tiers: readonly {
    readonly service: ServiceId;
    readonly tier: DutyTier;
    readonly rules: readonly RosterRule[];
  }[];
}

/** The shifts that another system published last, as instants. */
export interface Feed {
  readonly id: string;
  readonly shifts: readonly FeedShift[];
}

export interface FeedShift {
  readonly person: PersonId;
  readonly from: Instant;
  readonly to: Instant;
  /** What the other system calls the duty; '' when it does not say. */
  readonly as: string;
}
