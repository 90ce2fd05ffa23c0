import type { Instant } from '../time/index.ts';
import type { Fact } from '../audit/index.ts';
import type { Prompt } from '../dialplan/index.ts';
import type { Urgency } from '../oncall/index.ts';
import type { Phi } from '../phi/index.ts';
import type { GreetingKind } from '../voicemail/greetings.ts';
import type { MessageMark } from '../voicemail/retrieval.ts';
import type { EndCause } from './end-causes.ts';
import type { LegId, LegTarget, TimerEvent } from './events.ts';

/** Shown to the called party: caller id and what the call is about. */
export interface OfferedAs {
  readonly displayName: string;
  /** Extension of the caller, or the main number for an outside leg. */
  readonly number: string;
  readonly urgency: Urgency | null;
}

/**
 * What the shell is to do, in order. An effect is started and never awaited: its outcome comes back as an event.
 * `attest` facts of one step are durable (or spooled and flagged) before the effects behind them start.
 */
export type CallEffect =
  | { readonly type: 'attest'; readonly fact: Fact }
  | { readonly type: 'wakeMe'; readonly afterMs: number; readonly with: TimerEvent }
  /**
   * Anchor the caller on the media server and send 200. -> callerAnswered | callerAnswerFailed
   * In a call of the house: ring the party. -> legRinging*, then callerAnswered | legFailed, both of `CALLER`
   */
  | { readonly type: 'answerCaller' }
  /** 180 to a caller that is not answered yet. */
  | { readonly type: 'ringCaller' }
  /** Final refusal of an unanswered caller with the SIP status of the cause. */
  | { readonly type: 'refuseCaller'; readonly cause: EndCause }
  /** -> legRinging*, then legAnswered | legFailed. `direct` offers the caller's own SDP (phone to phone). */
  | {
      readonly type: 'ringLeg';
      readonly leg: LegId;
      readonly target: LegTarget;
      readonly media: 'anchored' | 'direct';
      readonly offeredAs: OfferedAs;
    }
  /**
   * CANCEL an unanswered leg (-> legFailed cancelled, or legAnswered if it crossed), BYE an answered one (no event).
   * With `unlessAnswered` a leg that was picked up meanwhile is left as it is: its legAnswered is on the way, and who
   * picked up may still be wanted.
   */
  | {
      readonly type: 'standDownLeg';
      readonly leg: LegId;
      readonly unlessAnswered?: true;
      readonly because: 'takenElsewhere' | 'callerGone' | 'stepOver' | 'notAccepted' | 'callOver';
    }
  /**
   * Replaces whatever the leg hears. -> promptFinished (token) unless followed by a loop or replaced. With `keys` the first key
   * ends it: -> digitsGathered in place of that.
   */
  | {
      readonly type: 'play';
      readonly leg: LegId;
      readonly token: number;
      readonly prompts: readonly Prompt[];
      readonly then: 'nothing' | 'ringback';
      readonly keys?: true;
    }
  /**
   * -> digitsGathered (token), '' when no key came within `waitMs` after the last prompt had ended.
   * Replaces whatever the leg hears; a key interrupts the prompts and counts. `isAgain`: the same question once more, so a
   * single key that was pressed since the last time is its answer. `hints`: a media server that can tell by the sound who
   * seems to have answered is to say so: -> answerHinted, once or never.
   */
  | {
      readonly type: 'gather';
      readonly leg: LegId;
      readonly token: number;
      readonly prompts: readonly Prompt[];
      readonly maxDigits: number;
      readonly waitMs: number;
      readonly isAgain: boolean;
      readonly hints?: true;
    }
  /** Asks a program of the house over HTTP. -> lookedUp; an answer after `waitMs` is not waited for. */
  | {
      readonly type: 'lookUp';
      readonly token: number;
      readonly hook: string;
      readonly url: string;
      readonly waitMs: number;
      /** What it is told; the calling number is the shell's to add where `sendCaller` says so. */
      readonly told: Readonly<Record<string, string>>;
      readonly sendCaller: boolean;
    }
  /** Caller and an answered, anchored leg hear each other. -> bridged | bridgeFailed */
  | { readonly type: 'bridge'; readonly leg: LegId }
  /** The caller's INVITE is answered with the SDP of a `direct` leg. -> bridged | bridgeFailed | callerHungUp */
  | { readonly type: 'connectDirect'; readonly leg: LegId }
  /** Records the caller, sealed. -> recordingEnded */
  | {
      readonly type: 'recordMessage';
      readonly messageId: string;
      readonly mailbox: string;
      readonly urgent: boolean;
      readonly maxMs: number;
    }
  /** null: a mailbox that there is not, which must not show. -> pinChecked */
  | {
      readonly type: 'checkPin';
      readonly token: number;
      readonly mailbox: string | null;
      readonly pin: Phi<string>;
    }
  /** -> messagesListed */
  | { readonly type: 'listMessages'; readonly token: number; readonly mailbox: string }
  /** Only one can have it. -> claimAnswered */
  | { readonly type: 'claimMessage'; readonly token: number; readonly messageId: string; readonly by: string }
  /** What callers of a mailbox hear from now on; null: what the house says. The one before is shredded. */
  | {
      readonly type: 'setGreeting';
      readonly mailbox: string;
      readonly kind: GreetingKind;
      readonly greetingId: string | null;
      readonly by: string;
    }
  /** Until when the absence greeting lasts; null: until it is deleted. Behind a `setGreeting` of the same call. */
  | { readonly type: 'setAbsenceEnd'; readonly mailbox: string; readonly endsAt: Instant | null }
  /** What somebody did with a message; written behind the caller's back until it is durable. */
  | {
      readonly type: 'changeMessage';
      readonly messageId: string;
      readonly change: MessageMark;
      readonly by: string;
    }
  /** Puts a message into another mailbox, a recorded comment before it, sealed for whoever opens that one. -> messageForwarded */
  | {
      readonly type: 'forwardMessage';
      readonly token: number;
      readonly messageId: string;
      readonly commentId: string | null;
      readonly to: string;
      readonly copyId: string;
      readonly isUrgent: boolean;
      /** Mailbox of the person who sends it. */
      readonly by: string;
    }
  /** It is nobody's again, and followed through the chain of the service from its beginning; not by the phones of `by`. */
  | { readonly type: 'handOverMessage'; readonly messageId: string; readonly service: string; readonly by: string }
  /**
   * Prompts, a message opened while it plays, and prompts; the first key ends it all.
   * -> digitsGathered ('' when no key came within `waitMs` after the end) | messageUnplayable
   */
  | {
      readonly type: 'playMessage';
      readonly leg: LegId;
      readonly token: number;
      readonly messageId: string;
      readonly before: readonly Prompt[];
      readonly after: readonly Prompt[];
      readonly waitMs: number;
    }
  /** BYE to an answered caller. */
  | { readonly type: 'hangUpCaller'; readonly cause: EndCause }
  /** Last effect of every call: whatever is left is torn down and the call leaves the register. */
  | { readonly type: 'callOver'; readonly cause: EndCause };
