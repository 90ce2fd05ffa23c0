import type { LegTarget } from '../call/events.ts';
import type { CallId } from '../call/events.ts';
import type { SystemFact } from '../audit/facts.ts';
import type { ServiceId, Urgency } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';

/** The message that somebody has to listen to and take. */
export interface Chased {
  readonly messageId: string;
  readonly mailbox: string;
  /** Whose chain is worked down; null for a mailbox of no service: its own person, then the supervisor. */
  readonly service: ServiceId | null;
  readonly urgency: Urgency;
  readonly callId: CallId | null;
  readonly leftAt: Instant;
}

/** Plain data: it survives the process that wrote it down. */
export type Chase =
  | { readonly name: 'expected' }
  | {
      readonly name: 'chasing';
      readonly about: Chased;
      /** Of the chain, from 0; as many as there are: the supervisor. */
      readonly step: number;
      /** Counts the steps that were started, so that a stale timer is known. */
      readonly round: number;
      readonly stepEndsAt: Instant;
      /** Phones that were told in this step. */
      readonly told: readonly string[];
    }
  | { readonly name: 'over'; readonly because: 'claimed' | 'deleted' };

export type ChaseTimer =
  | { readonly type: 'chaseStepTimedOut'; readonly round: number }
  | { readonly type: 'chaseBoundaryReached'; readonly round: number };

export type ChaseEvent =
  | { readonly type: 'urgentMessageLeft'; readonly message: Chased }
  /** Listened to and taken by somebody; `by`: the mailbox of a person. */
  | { readonly type: 'messageClaimed'; readonly by: string }
  | { readonly type: 'messageDeleted' }
  | ChaseTimer;

export type ChaseEffect =
  | { readonly type: 'attest'; readonly fact: ChaseFact }
  | { readonly type: 'wakeMe'; readonly afterMs: number; readonly with: ChaseTimer }
  /** Tells somebody that a message waits; nothing of what is in it. Has no outcome: only a claim ends the chase. */
  | {
      readonly type: 'tellOfMessage';
      readonly messageId: string;
      readonly mailbox: string;
      readonly person: string;
      readonly target: LegTarget;
    };

export type ChaseFact = Extract<
  SystemFact,
  { readonly fact: 'chaseStarted' | 'chaseTold' | 'chaseUnclaimed' | 'chaseOver' }
>;
