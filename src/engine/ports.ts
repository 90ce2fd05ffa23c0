import type { Fact, Reach } from '../core/audit/index.ts';
import type { CallEffect, CallEvent, Caller, CallId, EndCause, OfferedAs, Party } from '../core/call/index.ts';
import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster, ShiftOverride, Urgency } from '../core/oncall/index.ts';
import type { Phi } from '../core/phi/index.ts';
import type { Instant } from '../core/time/index.ts';

/** What the engine needs from the world, in our words. */

export interface Clock {
  now(): Instant;
  /** Never goes back; for durations. */
  monotonicMs(): number;
  after(ms: number, run: () => void): { cancel(): void };
}

export interface Random {
  /** Integer in [0, below). */
  below(below: number): number;
  bytes(count: number): Uint8Array;
}

/** Effects that the telephony shell performs for one call. */
export type TelephonyEffect = Exclude<
  CallEffect,
  {
    type:
      | 'attest'
      | 'wakeMe'
      | 'lookUp'
      | 'checkPin'
      | 'listMessages'
      | 'claimMessage'
      | 'changeMessage'
      | 'forwardMessage'
      | 'handOverMessage'
      | 'setGreeting'
      | 'setAbsenceEnd';
  }
>;

/** One inbound call as the telephony shell shows it to the engine. */
export interface TelephonyCall {
  /** Starts the effect; outcomes arrive through the sink given with `callArrived`. Never throws, never waits. */
  perform(effect: TelephonyEffect): void;
}

export interface NewCall {
  readonly caller: Caller;
  readonly dialled: string;
  readonly peer: string;
  readonly sipCallId: string;
}

/** The engine's side, called by telephony. */
export interface CallSink {
  /** A new call; the engine names it and answers with where its events go, or refuses it (draining, overload). */
  callArrived(
    call: NewCall,
    telephony: TelephonyCall,
  ):
    | { readonly kind: 'taken'; readonly callId: CallId; emit(event: CallEvent): void }
    | { readonly kind: 'refused'; readonly sipStatus: number };
  /**
   * A conversation that a process before this one had connected goes on. Gives where its end is told; null when it is
   * over on record.
   */
  talkAdopted(callId: CallId, talk: AdoptedTalk): ((event: CallEvent) => void) | null;
}

/** The telephony shell's side of a conversation of an earlier process. */
export interface AdoptedTalk {
  /** Both sides. Nothing is told afterwards. */
  hangUp(cause: EndCause): void;
}

export interface Reachability {
  isRegistered(extension: string): boolean;
  trunkFault(trunk: string): string | null;
}

export * from './message-ports.ts';

export interface AuditPort {
  /** Resolves when the facts are on disk, or spooled because the store could not take them in 50 ms. Never rejects. */
  attest(entries: readonly AuditEntry[]): Promise<'durable' | 'spooled'>;
}

export interface AuditEntry {
  readonly at: Instant;
  /** null for facts of the system. */
  readonly callId: CallId | null;
  readonly fact: Fact;
}

/** Calls that the house makes by itself. */
export interface HouseCalls {
  /** The party rings when the engine has this call `answerCaller`. Events before `taken` wait for it. */
  prepare(
    party: Party,
    offeredAs: OfferedAs,
  ): TelephonyCall & { taken(callId: CallId, emit: (event: CallEvent) => void): void };
}

/** Programs of the house that a plan asks which way a call goes. */
export interface Lookups {
  /**
   * Resolves with one word, or with why there is none, after `waitMs` at most. Never rejects. `caller` is the calling
   * number, for a hook that is told it.
   */
  ask(question: {
    readonly hook: string;
    readonly url: string;
    readonly waitMs: number;
    readonly told: Readonly<Record<string, string>>;
    readonly caller: Phi<string> | null;
  }): Promise<
    { readonly kind: 'answered'; readonly answer: string } | { readonly kind: 'failed'; readonly why: string }
  >;
}

/** The documents in force; replaced as a whole when a new version is activated. */
export interface Documents {
  current(): { readonly plan: CompiledPlan; readonly roster: CompiledRoster };
  /** A roster that was in force, with the overrides that are known by now: a call that goes on finds whoever took over. */
  upToDate(roster: CompiledRoster): CompiledRoster;
}

/** What people changed about who is on call, on top of the documents. */
export interface Overrides {
  /** Another number after every change. */
  revision(): number;
  /** Those that end after an instant. */
  list(after: Instant): readonly ShiftOverride[];
}

/** Every version that was ever activated, word for word; the newest one starts the house when the files are broken. */
export interface DocumentVersions {
  /** Resolves when it is durable. */
  save(version: DocumentVersion): Promise<void>;
  lastGood(): DocumentVersion | null;
}

export interface DocumentVersion {
  /** Content hashes of the two kinds, "sha256:…". */
  readonly plan: string;
  readonly roster: string;
  readonly at: Instant;
  readonly files: readonly { readonly kind: 'plan' | 'roster'; readonly path: string; readonly text: string }[];
}

/** One version of the plan, named by the hash of its content, "sha256:…". */
export interface PlanVersion {
  readonly version: string;
  readonly at: Instant;
  /** Operating-system user of the command, or `FOLDER` for what was edited in place. */
  readonly author: string;
  readonly files: DocumentVersion['files'];
}

/** Author of a version that came into force because somebody saved a file. */
export const FOLDER = 'the folder';

/** Somebody wants a version in force. The newest order counts; ADR 0022 says how it goes with the folder. */
export interface PlanOrder {
  readonly id: number;
  readonly version: string;
  readonly at: Instant;
  readonly author: string;
  readonly how: 'activate' | 'rollback';
  /** For a rollback: the content of the folder that it takes the place of, until somebody edits it. */
  readonly insteadOf: string | null;
}

/** Versions of the plan and orders about them, whichever process gave them. */
export interface PlanOrders {
  newest(): PlanOrder | null;
  find(version: string): PlanVersion | null;
  keep(version: PlanVersion): Promise<void>;
  order(order: Omit<PlanOrder, 'id'>): void;
}

export type ServerKind = 'signalling' | 'media';

/** What an operator said of one server while the house runs, or before; the last word counts. */
export interface ServerOrder {
  readonly kind: ServerKind;
  readonly server: string;
  readonly isDraining: boolean;
  readonly at: Instant;
  readonly author: string;
}

export interface ServerOrders {
  order(order: ServerOrder): void;
  /** The last word about each server. */
  newest(): readonly ServerOrder[];
}

/** The last good shifts of other systems' rosters, as documents. */
export interface RosterFeeds {
  /** Another number whenever one of them was taken. */
  revision(): number;
  documents(): DocumentVersion['files'];
}

/** A summary row per call, for lists. Everything in it can be made again from the audit. */
export interface CallIndex {
  /** `from`: an extension, the number that an outside caller shows, or the trunk of one who shows none. */
  callStarted(row: { callId: CallId; at: Instant; from: string | Phi<string>; dialled: string }): void;
  callEnded(row: {
    callId: CallId;
    at: Instant;
    cause: string;
    acceptedBy: string | null;
    service: string | null;
  }): void;
  /** Calls without an ending, left by a process that died. */
  unfinished(): readonly CallId[];
}

/** `message` is a fixed verb phrase; what varies is in the fields. Never throws. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Told about every call, for metrics. Never throws. */
export interface CallObserver {
  callArrived(): void;
  callOver(call: CallSummary): void;
}

export interface CallSummary {
  readonly callId: CallId;
  readonly cause: EndCause;
  readonly service: string | null;
  readonly urgency: Urgency | null;
  /** PersonId of whoever accepted last. */
  readonly acceptedBy: string | null;
  /** How it got to a human; null for a call that asked for nobody on call. */
  readonly reach: Reach | null;
  readonly talkedMs: number;
  readonly lastedMs: number;
}

export class PortError extends Error {
  override readonly name = 'PortError';
  readonly code: PortErrorCode;

  /** `says`: the thing, the reason and the remedy, for a person; the code alone when left out. */
  constructor(code: PortErrorCode, options?: ErrorOptions & { readonly says?: string }) {
    super(options?.says ?? code, options);
    this.code = code;
  }
}

export type PortErrorCode =
  | 'trunkUnavailable'
  | 'signallingUnavailable'
  | 'mediaUnavailable'
  | 'storeUnavailable'
  /** Another process owns the store. */
  | 'storeInUse'
  /** Written by a newer (or, for readers, an older) Wardline. */
  | 'storeVersion'
  | 'storeDamaged'
  | 'keyUnreadable'
  | 'notAcceptable';
