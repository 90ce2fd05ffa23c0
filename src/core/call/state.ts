import type { ActingVerb, Prompt, Verb } from '../dialplan/index.ts';
import type { Escalation } from '../escalation/index.ts';
import type { Urgency } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import type { Retrieval, RetrievalIn } from '../voicemail/retrieval.ts';
import type { EndCause } from './end-causes.ts';
import type { Errand } from './errand.ts';
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
  /** As routes are written: what a `forward` to the number dialled rings. May be a patient's; stays in memory. */
  readonly dialled: string;
  /** The site that the call belongs to. */
  readonly site: string;
  /** Caller lists that the calling number stands in; the number itself is not kept. */
  readonly lists: readonly string[];
  readonly urgency: Urgency | null;
}

/** Of a call that begins. */
export function newLine(
  call: Pick<Line, 'callId' | 'from' | 'acceptDigit' | 'messageId'>,
  about: Pick<Line, 'dialled' | 'site' | 'lists'>,
): Line {
  const { callId, from, acceptDigit, messageId } = call;
  const { dialled, site, lists } = about;
  return {
    callId,
    from,
    isAnswered: false,
    hasMedia: true,
    acceptDigit,
    messageId,
    nextLeg: 1,
    nextToken: 1,
    hops: 0,
    dialled,
    site,
    lists,
    urgency: null,
  };
}

export type ActiveVerb = ActingVerb;
export type VerbOf<V extends Verb['verb']> = Extract<Verb, { readonly verb: V }>;

export type Doing =
  /** 200 is on its way to the caller; `verb` begins when it is acknowledged. */
  | { readonly name: 'answering'; readonly verb: ActiveVerb; readonly path: string }
  /** The house calls; nobody has picked up yet. */
  | { readonly name: 'reaching'; readonly errand: Errand }
  /** One phone rings or is being connected. */
  | {
      readonly name: 'ringing';
      readonly leg: LegId;
      /** stoodDown: CANCEL is on its way; an answer may still cross it. */
      readonly stage: 'ringing' | 'stoodDown' | 'connecting';
      readonly otherwise: Verb | null;
      readonly path: string;
      /** An outside number that could still be reached by other trunks, until its time is up. */
      readonly detour?: { readonly verb: VerbOf<'forward'>; readonly until: Instant };
    }
  /** Phones of a group ring; the first that is picked up gets the call. */
  | {
      readonly name: 'ringingGroup';
      /** As above. */
      readonly stage: 'ringing' | 'stoodDown';
      readonly verb: VerbOf<'ringGroup'>;
      readonly path: string;
      readonly ringing: readonly { readonly leg: LegId; readonly member: string }[];
      /** Members whose turn is yet to come. */
      readonly left: readonly string[];
      readonly round: number;
      /** Why the last of them did not take the call. */
      readonly cause: EndCause;
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
  | {
      readonly name: 'gathering';
      readonly verb: VerbOf<'gather'>;
      readonly path: string;
      readonly attempt: number;
      readonly token: number;
    }
  /** Something is said, then `verb` goes on at `path`. */
  | {
      readonly name: 'announcing';
      readonly verb: Verb;
      readonly path: string;
      readonly token: number;
    }
  | { readonly name: 'lookingUp'; readonly verb: VerbOf<'lookup'>; readonly path: string; readonly token: number }
  | { readonly name: 'escalating'; readonly escalation: Escalation }
  | {
      readonly name: 'greeting';
      readonly mailbox: string;
      readonly urgent: boolean;
      readonly token: number;
      /** The chain that nobody accepted in: an answer may still be on its way. */
      readonly late: Escalation | null;
    }
  | { readonly name: 'recording'; readonly taking: Taking }
  /** The tone before another take. */
  | { readonly name: 'recordingAgain'; readonly taking: Taking; readonly token: number }
  /** `isNumber`: the keys are those of a number to call back. */
  | { readonly name: 'reviewing'; readonly taken: Taken; readonly token: number; readonly isNumber: boolean }
  | { readonly name: 'retrieving'; readonly retrieval: Retrieval; readonly path: string }
  /** The caller is gone and the recorder finishes. */
  | { readonly name: 'closing'; readonly taking: Taking }
  /** The last words before the end. */
  | { readonly name: 'saying'; readonly token: number; readonly cause: EndCause };

/** A message while it is recorded. */
export interface Taking {
  readonly messageId: string;
  readonly mailbox: string;
  readonly urgent: boolean;
  /** 1 for the first; whoever says it again has another one. */
  readonly take: number;
  /** In which nobody accepted. */
  readonly chain: { readonly service?: string; readonly urgency?: Urgency };
  /** Marks count for every take that follows. */
  readonly isUrgent: boolean;
  readonly isPrivate: boolean;
  /** May be a patient's; stays in memory until it is sealed. */
  readonly callBack: string | null;
  /** Somebody replies from a mailbox: where they go on behind it; null for whoever was called to leave a message. */
  readonly reply: Reply | null;
  /** The take before, which stays until there is another in its place. */
  readonly before: Taken | null;
}

export interface Reply {
  /** Mailbox of the person who replies. */
  readonly by: string;
  readonly now: RetrievalIn<'listening'>;
  readonly path: string;
}

/** What the caller has said. */
export interface Taken extends Taking {
  readonly durationMs: number;
}

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
  /** Whom the house calls has picked up. */
  | { readonly move: 'reached'; readonly errand: Errand }
  | { readonly move: 'enter'; readonly verb: Verb; readonly path: string }
  | { readonly move: 'leaveMessage'; readonly after: Escalation }
  /** Words for the caller, then the end; a caller who is not answered gets the SIP status of the cause instead. */
  | { readonly move: 'say'; readonly prompts: readonly Prompt[]; readonly cause: EndCause }
  | { readonly move: 'end'; readonly cause: EndCause; readonly isCallerGone: boolean; readonly talkedMs: number };

/** A move that leads on. */
export type Going = Exclude<Move, { readonly move: 'stay' }>;

export const stay: Move = { move: 'stay' };
