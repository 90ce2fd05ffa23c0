import type { CallFact } from '../audit/index.ts';
import type { EndCause } from '../call/index.ts';
import type { TraceLine } from '../dialplan/index.ts';
import type { CompiledRoster, Device, DutyTier, Person, ServiceId, Urgency } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';

export interface Supposed {
  /** Extension that calls from inside, or null for a call from the trunk. */
  readonly from: string | null;
  readonly to: string;
  readonly at: Instant;
  /** Number that a caller from outside shows; none unless given. */
  readonly number?: string | null;
  /** By which a call from outside comes; the one of the home site unless given. */
  readonly trunk?: string;
  /** Without it every phone counts as registered. */
  readonly isRegistered?: (extension: string) => boolean;
  /** As `World.trunkFault`; without it every trunk counts as usable. */
  readonly trunkFault?: (trunk: string) => string | null;
  /** Asked once for each look-up: what the program of the house answers; null: nothing in time; undefined: it is not there. */
  readonly answerOf?: (hook: string) => string | null | undefined;
  /** Who is on call as people change it while the call runs; without it the roster stays as it is. */
  readonly rosterAt?: (at: Instant) => CompiledRoster;
  /** By extension or E.164 number; without it every phone rings and is never answered. */
  readonly outcomeOf?: (phone: string) => PhoneOutcome;
}

/** What a phone does whenever it is rung, and how long after it began to ring; null: as long as that usually takes. */
export interface PhoneOutcome {
  /**
   * `answers`: a human, who on a mobile presses the digit; `machine`: something that is picked up and presses nothing;
   * `noAnswer`: rings on, or with a time gives up by itself.
   */
  readonly kind: 'answers' | 'machine' | 'declines' | 'busy' | 'noAnswer' | 'unreachable';
  readonly afterMs: number | null;
}

/** A supposed call that was played to where it comes to rest. */
export interface Story {
  /** As the audit would have them. */
  readonly facts: readonly { readonly at: Instant; readonly fact: CallFact }[];
  readonly end: StoryEnd;
}

/** `afterMs` counts from the dialling. */
export type StoryEnd =
  /** A human has the call. `person` is a PersonId, or the extension of a call outside of any chain. */
  | { readonly kind: 'human'; readonly afterMs: number; readonly person: string; readonly phone: string }
  | { readonly kind: 'message'; readonly afterMs: number; readonly mailbox: string; readonly urgent: boolean }
  | { readonly kind: 'over'; readonly afterMs: number; readonly cause: EndCause };

/** What would happen to a call that nobody takes, up to the next key of the caller or to its end. */
export interface Simulation {
  readonly happens: readonly Happening[];
  readonly next: SimulatedNext;
}

/** `afterMs` counts from the dialling; prompts take no time, because a caller may talk over them or wait. */
export type Happening =
  | { readonly kind: 'decides'; readonly afterMs: number; readonly trace: readonly TraceLine[] }
  | ({ readonly kind: 'rings' } & SimulatedRing)
  | {
      readonly kind: 'escalates';
      readonly afterMs: number;
      readonly service: ServiceId;
      readonly urgency: Urgency;
      readonly chain: string;
    }
  | ({ readonly kind: 'step' } & SimulatedStep);

/** One extension that a plan rings outside of any chain. */
export interface SimulatedRing {
  readonly afterMs: number;
  readonly extension: string;
  readonly verdict: 'rung' | 'skipped';
  /** 0 when it is skipped. */
  readonly forMs: number;
  /** Why it is skipped; '' when it is rung. */
  readonly because: string;
}

export interface SimulatedStep {
  /** From 1. */
  readonly step: number;
  readonly says: string;
  readonly at: Instant;
  readonly afterMs: number;
  /** 0 for a step that rings nobody. */
  readonly forMs: number;
  readonly considered: readonly SimulatedPhone[];
}

export interface SimulatedPhone {
  readonly verdict: 'rung' | 'skipped';
  readonly tier: DutyTier | 'post';
  readonly person: Person | null;
  /** null when nobody holds the tier. */
  readonly device: Device | null;
  /** Extension or E.164 number that is rung; null when it is skipped. */
  readonly phone: string | null;
  readonly because: string;
  /** By which rule the person holds the tier; '' when nobody does. */
  readonly duty: string;
  /** Later than its step for somebody whose shift begins while the others ring. */
  readonly afterMs: number;
}

export type SimulatedNext =
  | {
      readonly kind: 'asks';
      readonly menu: string;
      readonly noKeyMs: number;
      readonly choices: readonly { readonly key: string; readonly leadsTo: Simulation }[];
      /** Never a valid key, as often as the menu asks. */
      readonly noKey: Simulation;
    }
  /** A menu that was told before: the same keys lead to the same places. */
  | { readonly kind: 'toldAbove'; readonly menu: string }
  | { readonly kind: 'takesMessage'; readonly afterMs: number; readonly mailbox: string; readonly urgent: boolean }
  /** An answered caller hears why; another one's phone or carrier gets the SIP status of the cause. */
  | { readonly kind: 'ends'; readonly afterMs: number; readonly cause: EndCause; readonly isAnswered: boolean };
