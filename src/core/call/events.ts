import type { Phi } from '../phi/index.ts';
import type { Instant } from '../time/index.ts';
import type { Errand, Party } from './errand.ts';
import type { MessageBrief, PinResult } from '../voicemail/retrieval.ts';

export type { LegTarget } from './leg-target.ts';

/** Human-readable and unguessable enough to read out over a phone: "K7QX-2M4D-9RTB". Made by the engine. */
export type CallId = string & { readonly __brand: 'CallId' };
/** "caller", or "1", "2", … in the order legs were rung. */
export type LegId = string & { readonly __brand: 'LegId' };

export const CALLER = 'caller' as LegId;

export interface Caller {
  readonly from:
    | { readonly kind: 'phone'; readonly extension: string }
    | { readonly kind: 'trunk'; readonly trunk: string };
  /** Calling number or name as the trunk gave it; an inside caller is known by extension. */
  readonly number: Phi<string> | null;
}

/** How a leg that did not become a conversation ended. Keys of the audit, of metrics and of `core/call/end-causes.ts`. */
export type LegResult =
  | { readonly kind: 'busy'; readonly sipStatus: number }
  | { readonly kind: 'declined'; readonly sipStatus: number }
  | { readonly kind: 'noAnswer'; readonly sipStatus: number }
  | { readonly kind: 'notRegistered' }
  | { readonly kind: 'unreachable'; readonly sipStatus: number }
  | { readonly kind: 'trunkUnavailable'; readonly why: string }
  | { readonly kind: 'mediaFailed'; readonly why: string }
  | { readonly kind: 'cancelled' };

/** What a leg carries once it talks; goes to the audit as it is. */
export interface MediaFacts {
  readonly path: 'anchored' | 'direct';
  readonly codec: string;
  readonly cipher: 'none' | 'sdes' | 'dtls';
}

/** How a leg sounded from its beginning to its end, as its media server measured it. Whole numbers: it goes to the audit. */
export interface MeasuredSound {
  /** Mean opinion score of what was heard from this leg, 100 to 450. */
  readonly mosHundredths: number;
  readonly lostPermille: number;
  /** null: the media server does not say. */
  readonly jitterMs: number | null;
  readonly roundTripMs: number | null;
  /** Of what this leg heard, as its phone reported it. */
  readonly farMosHundredths: number | null;
}

/** Who seems to have answered: speech and then a pause, speech without end or a beep, or neither. Whole numbers, as above. */
export interface AnswerHint {
  readonly hint: 'human' | 'mailbox' | 'unsure';
  readonly speechMs: number;
  readonly pauseMs: number;
}

/**
 * Timers come back as the event they were set with; a stale one is recognised and ignored. `step` counts the steps
 * that were started in this call, so that a step which is started again after a lost connection has a new number.
 */
export type TimerEvent =
  | { readonly type: 'stepTimedOut'; readonly step: number }
  | { readonly type: 'shiftBoundaryReached'; readonly step: number }
  | { readonly type: 'ringTimedOut'; readonly leg: LegId }
  /** `round` counts the times that phones of a group began to ring in this call. */
  | { readonly type: 'groupTimedOut'; readonly round: number }
  | { readonly type: 'lookupTimedOut'; readonly token: number }
  | { readonly type: 'houseCallTimedOut' }
  /** A mobile has talked for as long as a human needs at most. */
  | { readonly type: 'challengeTimedOut'; readonly leg: LegId; readonly until: Instant }
  /** The caller hung up while recording and the recorder has not said what it got. */
  | { readonly type: 'recordingOverdue'; readonly messageId: string };

export type CallEvent =
  | {
      readonly type: 'callArrived';
      readonly callId: CallId;
      readonly caller: Caller;
      readonly dialled: string;
      /** Peer address of the INVITE, "10.0.0.9:5060/udp". */
      readonly peer: string;
      readonly sipCallId: string;
      /** Drawn by the engine: '1'…'8', never the digit of the call before. */
      readonly acceptDigit: string;
      /** Drawn by the engine for a message that this call may leave. */
      readonly messageId: string;
    }
  /** The house itself calls somebody, who is the caller of this call from the answer on. */
  | {
      readonly type: 'houseCalls';
      readonly callId: CallId;
      readonly party: Party;
      readonly errand: Errand;
      readonly acceptDigit: string;
      readonly messageId: string;
    }
  /** What the house calls about is settled: whoever still rings is left in peace. */
  | { readonly type: 'errandSettled' }
  /** The caller's 200 is acknowledged and prompts can be played. */
  | { readonly type: 'callerAnswered'; readonly media: MediaFacts }
  | { readonly type: 'callerAnswerFailed'; readonly why: string }
  /** CANCEL before, BYE after the answer. */
  | { readonly type: 'callerHungUp' }
  | { readonly type: 'legRinging'; readonly leg: LegId; readonly sipStatus: number }
  | { readonly type: 'legAnswered'; readonly leg: LegId; readonly media: MediaFacts }
  | { readonly type: 'legFailed'; readonly leg: LegId; readonly result: LegResult }
  /** An answered leg is gone: BYE from the far end, or its media died. */
  | { readonly type: 'legEnded'; readonly leg: LegId; readonly by: 'remote' | 'mediaLost' }
  | { readonly type: 'promptFinished'; readonly leg: LegId; readonly token: number }
  /** `digits` is '' when none came in time. */
  | { readonly type: 'digitsGathered'; readonly leg: LegId; readonly token: number; readonly digits: string }
  /** Who seems to have answered, by the sound alone. It is wrong often enough that nothing is decided by it. */
  | ({ readonly type: 'answerHinted'; readonly leg: LegId } & AnswerHint)
  /** What a program of the house answered; null when it did not, and `why`. */
  | { readonly type: 'lookedUp'; readonly token: number; readonly answer: string | null; readonly why: string }
  | { readonly type: 'pinChecked'; readonly token: number; readonly result: PinResult }
  /** null when they could not be read. */
  | { readonly type: 'messagesListed'; readonly token: number; readonly messages: readonly MessageBrief[] | null }
  /** Who has the message: whoever claimed it first. */
  | { readonly type: 'claimAnswered'; readonly token: number; readonly by: string }
  /** `why`: what was in the way; null: the other mailbox has it. */
  | { readonly type: 'messageForwarded'; readonly token: number; readonly why: string | null }
  /** In place of the keys that a `playMessage` would have brought. */
  | { readonly type: 'messageUnplayable'; readonly token: number; readonly why: string }
  | { readonly type: 'bridged'; readonly leg: LegId }
  | { readonly type: 'bridgeFailed'; readonly leg: LegId; readonly why: string }
  | {
      readonly type: 'recordingEnded';
      readonly messageId: string;
      /** 0 when nothing was recorded. */
      readonly durationMs: number;
      readonly by: 'key' | 'hangUp' | 'limit' | 'silence' | 'failed';
      readonly why: string;
    }
  /** It may come after the end of the call. */
  | { readonly type: 'soundMeasured'; readonly leg: LegId; readonly sound: MeasuredSound }
  /** The signalling server was started anew and with it went the means to tell how this conversation ends. */
  | { readonly type: 'signallingLost' }
  /** Draining took too long: the engine ends this call now. */
  | { readonly type: 'wardlineStopping' }
  | TimerEvent;

/** Every event as the runner hands it to `step`, with the second it happened at. */
export interface At<E> {
  readonly at: Instant;
  readonly event: E;
}
