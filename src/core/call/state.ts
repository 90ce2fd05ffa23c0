import type { Prompt, Decision, Verb } from '../dialplan/index.ts';
import type { Escalation } from '../escalation/index.ts';
import type { Instant } from '../time/index.ts';
import type { EndCause } from './end-causes.ts';
import type { Caller, CallId, LegId } from './events.ts';

/** Plain data: it can be written down, compared and replayed. */
export type CallState =
  | { readonly name: 'expected' }
  | { readonly name: 'live'; readonly line: Line; readonly doing: Doing }
  | { readonly name: 'over'; readonly cause: EndCause };

/** What stays true of the caller whatever the call is doing. */
export interface Line {
  readonly callId: CallId;
  readonly from: Caller['from'];
  readonly isAnswered: boolean;
  readonly acceptDigit: string;
  /** false from the moment in which no media server could take the caller. */
  readonly hasMedia: boolean;
  readonly messageId: string;
  readonly nextLeg: number;
  readonly nextToken: number;
  /** Verbs entered so far. */
  readonly hops: number;
}

export type ActiveVerb = Decision['verb'];
export type VerbOf<V extends Verb['verb']> = Extract<Verb, { readonly verb: V }>;

export type Doing =
  /** 200 is on its way to the caller; `verb` begins when it is acknowledged. */
  | { readonly name: 'answering'; readonly verb: ActiveVerb; readonly path: string }
  /** One phone rings or is being connected. */
  | {
      readonly name: 'ringing';
      readonly leg: LegId;
      readonly stage: 'ringing' | 'connecting';
      readonly otherwise: Verb | null;
      readonly path: string;
    }
  | { readonly name: 'talking'; readonly leg: LegId; readonly since: Instant }
  | {
      readonly name: 'askingUrgency';
      readonly verb: VerbOf<'askUrgency'>;
      readonly path: string;
      readonly attempt: number;
      readonly token: number;
    }
  | {
      readonly name: 'menu';
      readonly verb: VerbOf<'menu'>;
      readonly path: string;
      readonly attempt: number;
      readonly token: number;
    }
  | { readonly name: 'escalating'; readonly escalation: Escalation }
  | {
      readonly name: 'greeting';
      readonly mailbox: string;
      readonly urgent: boolean;
      readonly token: number;
      /** The chain that nobody accepted in: an answer may still be on its way. */
      readonly late: Escalation | null;
    }
  | { readonly name: 'recording' }
  /** The caller is gone and the recorder finishes. */
  | { readonly name: 'closing' }
  /** The last words before the end. */
  | { readonly name: 'saying'; readonly token: number; readonly cause: EndCause };

export type DoingOf<N extends Doing['name']> = Extract<Doing, { readonly name: N }>;

/** What the function of a state decides; `call.machine.ts` carries it out. */
export type Move =
  | { readonly move: 'stay' }
  | { readonly move: 'be'; readonly doing: Doing }
  /** The caller's own INVITE was answered with the called phone's SDP: both talk. */
  | { readonly move: 'beAnswered'; readonly doing: Doing }
  /** The caller's 200 is acknowledged: what needed it begins. */
  | { readonly move: 'begin'; readonly verb: ActiveVerb; readonly path: string }
  /** No media server could take the caller: what can be done without begins. */
  | { readonly move: 'doWithout'; readonly verb: ActiveVerb; readonly path: string; readonly why: string }
  | { readonly move: 'enter'; readonly verb: Verb; readonly path: string }
  | { readonly move: 'leaveMessage'; readonly after: Escalation }
  /** Words for the caller, then the end; a caller who is not answered gets the SIP status of the cause instead. */
  | { readonly move: 'say'; readonly prompts: readonly Prompt[]; readonly cause: EndCause }
  | { readonly move: 'end'; readonly cause: EndCause; readonly isCallerGone: boolean; readonly talkedMs: number };

/** A move that leads on. */
export type Going = Exclude<Move, { readonly move: 'stay' }>;

export const stay: Move = { move: 'stay' };
