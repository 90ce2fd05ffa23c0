import type { LegTarget } from '../call/events.ts';
import type { CallId } from '../call/events.ts';
import type { SystemFact } from '../audit/facts.ts';
import type { CompiledRoster, ServiceId, Urgency } from '../oncall/index.ts';
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
  /** Since when it is followed anew, and who saw to that; null: as it was left. Chases of older versions do not say. */
  readonly again?: Again | null;
}

/** Brought back, or handed over to whoever is on call. */
export interface Again {
  readonly at: Instant;
  /** Mailbox of whoever handed it over, who is not called; '' for nobody. */
  readonly by: string;
}

/** What is known of a message when it was left. */
export interface LeftMessage {
  readonly messageId: string;
  readonly mailbox: string;
  readonly callId: CallId | null;
  readonly at: Instant;
  readonly isUrgent: boolean;
  /** The chain in which nobody accepted; null for a message of no chain. */
  readonly service: string | null;
  readonly urgency: Urgency | null;
  readonly again: Again | null;
}

/** A message that is followed: one that is urgent, and any left at the end of an urgent or STAT chain. null: it waits. */
export function chasedOf(roster: Pick<CompiledRoster, 'services'>, left: LeftMessage): Chased | null {
  const { messageId, mailbox, callId, at: leftAt, isUrgent, again } = left;
  const isOfChain = left.urgency === 'stat' || left.urgency === 'urgent';
  if (!isUrgent && !isOfChain) return null;
  const service = left.service ?? roster.services().find((one) => one.mailbox === mailbox)?.id ?? null;
  const urgency = left.urgency === 'stat' ? 'stat' : 'urgent';
  return { messageId, mailbox, service: service as ServiceId | null, urgency, callId, leftAt, again };
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
      /** When whoever left it is to be told that nobody has it; null once they are. Chases of older versions do not say. */
      readonly callerDueAt?: Instant | null;
    }
  | {
      readonly name: 'over';
      readonly because: 'claimed' | 'deleted';
      /** Whoever left it is still to be told, since then; null once they are. */
      readonly callerDue?: { readonly about: Chased; readonly since: Instant } | null;
    };

export type ChaseTimer =
  | { readonly type: 'chaseStepTimedOut'; readonly round: number }
  | { readonly type: 'chaseBoundaryReached'; readonly round: number };

export type ChaseEvent =
  | { readonly type: 'urgentMessageLeft'; readonly message: Chased }
  /** Somebody has brought it back or handed it over: from the beginning, and not to them. */
  | { readonly type: 'followAgain'; readonly message: Chased }
  /** Listened to and taken by somebody; `by`: the mailbox of a person. */
  | { readonly type: 'messageClaimed'; readonly by: string }
  | { readonly type: 'messageDeleted' }
  /** The process is a new one: calls of the one before were cut off, and its timers are gone. */
  | { readonly type: 'chaseResumed' }
  /** Whoever left it was called about that, or there is no phone to call. */
  | { readonly type: 'callerTold'; readonly that: 'claimed' | 'unclaimed' }
  /** Somebody changed who is on call. */
  | { readonly type: 'rosterChanged' }
  | ChaseTimer;

export type ChaseEffect =
  | { readonly type: 'attest'; readonly fact: ChaseFact }
  | { readonly type: 'wakeMe'; readonly afterMs: number; readonly with: ChaseTimer }
  /** Tells somebody that a message waits; nothing of what is in it. Has no outcome: only a claim ends the chase. */
  | {
      readonly type: 'tellOfMessage';
      readonly messageId: string;
      readonly mailbox: string;
      /** PersonId. */
      readonly person: string;
      readonly target: LegTarget;
      /** Mailbox whose PIN lets this person listen. */
      readonly opener: string;
    }
  /** Whoever left the message may be waiting to hear what becomes of it. -> callerTold */
  | {
      readonly type: 'tellCaller';
      readonly callId: CallId;
      readonly messageId: string;
      readonly mailbox: string;
      readonly that: 'claimed' | 'unclaimed';
      /** Not sooner: just after the message was left it would say nothing new. Nor when somebody has it meanwhile. */
      readonly afterMs: number;
    };

export type ChaseFact = Extract<
  SystemFact,
  { readonly fact: 'chaseStarted' | 'chaseTold' | 'chaseUnclaimed' | 'chaseOver' }
>;
