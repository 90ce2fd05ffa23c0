import type { Caller, LegId } from '../call/events.ts';
import type { Device, PersonId, ServiceId, ServicePlace, Urgency } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';

/** What an escalation has to know about its call. */
export interface Situation {
  readonly from: Caller['from'];
  /** '1'…'8': pressing it on a mobile is an acceptance. */
  readonly acceptDigit: string;
  /** The site that the call belongs to: mobiles are reached by its trunk and see its number. */
  readonly site: string;
  /** false: no media server could take the caller. Desk phones are connected directly, nothing can be said or asked. */
  readonly hasMedia: boolean;
}

export type LegStage =
  | { readonly name: 'ringing' }
  /** A mobile was answered by something; a human has to prove it is one. */
  | {
      readonly name: 'challenged';
      readonly attempt: number;
      readonly token: number;
      /** By then the digit has been pressed, or the answering side is taken for a machine. */
      readonly until: Instant;
    }
  | { readonly name: 'accepted' }
  /** Hears who took the call, then is hung up. */
  | { readonly name: 'dismissed'; readonly token: number }
  /** CANCEL is on its way; an answer may still cross it. */
  | { readonly name: 'stoodDown' };

/** A leg stays in the list until nothing can come from it any more. */
export interface EscalationLeg {
  readonly id: LegId;
  readonly person: PersonId;
  readonly personName: string;
  /** Rung as a post: its phones may be with different people. */
  readonly isPost: boolean;
  readonly device: Device;
  /** What was dialled: a person's phone is rung once, whoever it is rung for. */
  readonly phone: string;
  /** Trunks that are left to reach it by, should the one that was tried not take the call. */
  readonly failover?: readonly string[];
  /** Chain step it was rung for, from 0. */
  readonly step: number;
  readonly stage: LegStage;
}

export interface EscalationBase {
  readonly service: ServiceId;
  /** Where the service may stand in the roster. */
  readonly place?: ServicePlace;
  readonly urgency: Urgency;
  readonly legs: readonly EscalationLeg[];
  readonly tried: readonly string[];
  /** Who pressed the key for no: none of their phones is rung again in this call. */
  readonly declined: readonly PersonId[];
  /** Chain step in work, from 0. */
  readonly step: number;
  /** Steps started so far; timers carry it. */
  readonly round: number;
}

export type Escalation = EscalationBase &
  (
    | { readonly name: 'working'; readonly stepEndsAt: Instant }
    /** The chain is through, but somebody is being asked right now. */
    | { readonly name: 'settling' }
    /** Nobody accepted. A desk phone whose answer crosses the CANCEL may still take the call. */
    | { readonly name: 'exhausted' }
    /** `spared`: phones that stopped ringing because of the winner; they had no fair chance if the winner is lost. */
    | { readonly name: 'bridging'; readonly winner: LegId; readonly spared: readonly string[] }
    | {
        readonly name: 'talking';
        readonly winner: LegId;
        readonly spared: readonly string[];
        readonly since: Instant;
      }
    /** The winner hung up after a conversation, or was lost in one that nobody else can be connected to. */
    | { readonly name: 'over'; readonly cause: 'calleeHungUp' | 'mediaLost'; readonly talkedMs: number }
  );

export type EscalationIn<N extends Escalation['name']> = Extract<Escalation, { readonly name: N }>;
