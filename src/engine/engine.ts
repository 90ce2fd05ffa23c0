import {
  arrivedFact,
  type CallEvent,
  type Caller,
  type CallId,
  type EndCause,
  endCauses,
  type Errand,
  type Party,
} from '../core/call/index.ts';
import { CallRegister } from './call-register.ts';
import { CallRunner } from './call-runner.ts';
import { HOUSE, houseCall } from './house-call.ts';
import type { EngineOptions } from './options.ts';
import { AdoptedCall, type Recorded, talkOf } from './adopted-call.ts';
import type {
  AdoptedTalk,
  AuditPort,
  CallIndex,
  CallObserver,
  CallSink,
  CallSummary,
  Clock,
  Documents,
  HouseCalls,
  Log,
  Lookups,
  Mailboxes,
  NewCall,
  Random,
  Reachability,
  TelephonyCall,
} from './ports.ts';
import { recoverCalls } from './recovery.ts';

export interface EngineParts {
  readonly options: EngineOptions;
  readonly audit: AuditPort;
  readonly index: CallIndex;
  readonly documents: Documents;
  readonly reachability: Reachability;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer?: CallObserver;
  /** Without it, every lookup of a plan takes its default way. */
  readonly lookups?: Lookups;
  /** Without it, mailboxes are empty and nobody can open one. */
  readonly mailboxes?: Mailboxes;
  /** Without it, facts can always be kept. */
  readonly keeping?: {
    /** Whether facts come to lie on a disk now. */
    canKeep(): boolean;
    /** Whether a number leads to a STAT chain; such calls are taken in any case. */
    isStat(dialled: string): boolean;
  };
  /** Without it, the house calls nobody. */
  readonly houseCalls?: HouseCalls;
}

const nobodyToAsk = Promise.resolve({ kind: 'failed', why: 'this house asks no programs' } as const);

/** A call that is being stopped may still have to hear from its recorder. */
const lastGraceMs = 6_000;

/**
 * Takes calls and runs them: names each, gives it the documents of this moment, and lets it go when it is over.
 * Call `recover` before the first call, `drain` before the process ends.
 */
export class Engine implements CallSink {
  readonly #parts: EngineParts;
  readonly #register: CallRegister<{ readonly callingExtension: string | null; emit(event: CallEvent): void }>;
  /** Conversations of an earlier process that telephony has not shown yet. */
  readonly #left = new Map<CallId, AdoptedCall>();
  /** How often each ring group was rung since the start of this process. */
  readonly #groupTurns = new Map<string, number>();
  #isDraining = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#register = new CallRegister(parts.random);
  }

  get liveCalls(): readonly CallId[] {
    return this.#register.calls().map(([callId]) => callId);
  }

  /** Whether a call of this extension runs. */
  isCalling(extension: string): boolean {
    return this.#register.calls().some(([, runner]) => runner.callingExtension === extension);
  }

  /**
   * Ends, in the audit, the calls that a process before this one left open, and resolves with their number. Those in
   * `talking` go on, with what is on record of them.
   */
  async recover(talking: ReadonlyMap<CallId, Recorded> = new Map()): Promise<number> {
    const { index, audit, clock } = this.#parts;
    for (const callId of index.unfinished()) {
      const recorded = talking.get(callId) ?? [];
      const talk = talkOf(recorded);
      if (talk === null) continue;
      const call = new AdoptedCall({ callId, talk, recorded, audit, clock, over: (summary) => this.#over(summary) });
      this.#left.set(callId, call);
      this.#register.add(callId, call);
      await audit.attest([{ at: clock.now(), callId, fact: { fact: 'adopted', leg: talk.leg } }]);
    }
    return recoverCalls({ ...this.#parts, goesOn: (callId) => this.#left.has(callId) });
  }

  talkAdopted(callId: CallId, telephony: AdoptedTalk): ((event: CallEvent) => void) | null {
    const call = this.#left.get(callId);
    if (call === undefined || !this.#left.delete(callId)) return null;
    call.found(telephony);
    return (event) => call.emit(event);
  }

  callArrived(call: NewCall, telephony: TelephonyCall): ReturnType<CallSink['callArrived']> {
    const { options, observer, index, clock, log, keeping } = this.#parts;
    const callId = this.#register.newCallId();
    observer?.callArrived();
    const { from, number, dialled } = arrivedFact(this.#parts.documents.current().plan, call);
    const who = call.caller.from.kind === 'trunk' ? (number ?? from) : from;
    this.#guard(callId, () => index.callStarted({ callId, at: clock.now(), from: who, dialled: String(dialled) }));

    if (this.#isDraining) return this.#refuse(callId, call, 'shuttingDown', 'the house is stopping');
    if (this.#register.size >= options.maxCalls) {
      log.warn({ call: callId, limit: options.maxCalls }, 'too many calls');
      return this.#refuse(callId, call, 'overloaded', `${options.maxCalls} calls are running`);
    }
    if (keeping !== undefined && !keeping.canKeep() && !keeping.isStat(call.dialled)) {
      return this.#refuse(callId, call, 'notRecordable', 'facts can be kept on no disk, and the number is not STAT');
    }

    const runner = this.#start(callId, call.caller, telephony);
    runner.emit({
      type: 'callArrived',
      callId,
      caller: call.caller,
      dialled: call.dialled,
      peer: call.peer,
      sipCallId: call.sipCallId,
      acceptDigit: this.#register.newAcceptDigit(),
      messageId: this.#register.newMessageId(),
    });
    return { kind: 'taken', callId, emit: (event: CallEvent) => runner.emit(event) };
  }

  /** Calls somebody about a message. null: no calls are made now. `settled`: whoever still rings is left in peace. */
  callOut(party: Party, errand: Errand): { settled(): void } | null {
    const { options, houseCalls, index, clock, documents, observer } = this.#parts;
    if (houseCalls === undefined || this.#isDraining || this.#register.size >= options.maxCalls) return null;
    const callId = this.#register.newCallId();
    const { caller, offeredAs, dialled } = houseCall(documents.current().plan, party);
    this.#guard(callId, () => index.callStarted({ callId, at: clock.now(), from: HOUSE, dialled }));
    observer?.callArrived();
    const telephony = houseCalls.prepare(party, offeredAs);
    const runner = this.#start(callId, caller, telephony);
    const acceptDigit = this.#register.newAcceptDigit();
    const messageId = this.#register.newMessageId();
    runner.emit({ type: 'houseCalls', callId, party, errand, acceptDigit, messageId });
    telephony.taken(callId, (event) => runner.emit(event));
    return { settled: () => runner.emit({ type: 'errandSettled' }) };
  }

  /**
   * Takes no new calls, waits up to `limitMs` for the running ones, then ends those that are left.
   * Resolves with the number that had to be ended, when nothing runs any more.
   */
  async drain(limitMs: number = this.#parts.options.drainMs): Promise<number> {
    const { log } = this.#parts;
    this.#isDraining = true;
    log.info({ calls: this.#register.size }, 'draining');
    if (await this.#emptyWithin(limitMs)) return 0;
    const left = this.#register.calls();
    for (const [, runner] of left) runner.emit({ type: 'wardlineStopping' });
    if (!(await this.#emptyWithin(lastGraceMs))) log.error({ calls: this.liveCalls }, 'calls did not end');
    return left.length;
  }

  async #emptyWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const limit = this.#parts.clock.after(ms, () => resolve(this.#register.size === 0));
      void this.#register.empty().then(() => {
        limit.cancel();
        resolve(true);
      });
    });
  }

  #start(callId: CallId, caller: Caller, telephony: TelephonyCall): CallRunner {
    const { documents, reachability, audit, clock, log, options, lookups } = this.#parts;
    const runner = new CallRunner({
      callId,
      telephony,
      reachability,
      audit,
      clock,
      log,
      documents: documents.current(),
      groupTurns: this.#groupTurns,
      mailboxes: this.#parts.mailboxes,
      caller,
      askWith: (question, sendCaller) =>
        lookups?.ask({ ...question, caller: sendCaller ? caller.number : null }) ?? nobodyToAsk,
      upToDate: (roster) => documents.upToDate(roster),
      auditPatienceMs: options.auditPatienceMs,
      over: (summary) => this.#over(summary),
    });
    this.#register.add(callId, runner);
    return runner;
  }

  #over(summary: CallSummary): void {
    const { index, clock, observer } = this.#parts;
    const { callId, cause, acceptedBy, service } = summary;
    this.#guard(callId, () => index.callEnded({ callId, at: clock.now(), cause, acceptedBy, service }));
    observer?.callOver(summary);
    this.#register.remove(callId);
  }

  /** Every call leaves a record, also one that gets no further than the door. */
  #refuse(callId: CallId, call: NewCall, cause: EndCause, why: string): ReturnType<CallSink['callArrived']> {
    const { audit, clock } = this.#parts;
    const at = clock.now();
    const { fault, sip: sipStatus } = endCauses[cause];
    void audit.attest([
      { at, callId, fact: arrivedFact(this.#parts.documents.current().plan, call) },
      { at, callId, fact: { fact: 'refusedAtDoor', cause, why } },
      { at, callId, fact: { fact: 'ended', cause, fault, talkedMs: 0 } },
    ]);
    const nothing = { service: null, urgency: null, acceptedBy: null, reach: null, talkedMs: 0, lastedMs: 0 };
    this.#guard(callId, () => this.#parts.index.callEnded({ callId, at, cause, acceptedBy: null, service: null }));
    this.#parts.observer?.callOver({ callId, cause, ...nothing });
    return { kind: 'refused', sipStatus };
  }

  /** The index is only for lists and can be made again from the audit: its troubles are logged, not the call's. */
  #guard(callId: CallId, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#parts.log.error({ call: callId, error }, 'call index could not be written');
    }
  }
}
