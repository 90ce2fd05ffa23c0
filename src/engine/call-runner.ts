import { type CallFact, TimeToHuman } from '../core/audit/index.ts';
import {
  type CallEffect,
  type CallEvent,
  type CallId,
  type Caller,
  type CallState,
  type EndCause,
  endCauses,
  expectedCall,
  stepCall,
  type World,
} from '../core/call/index.ts';
import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster } from '../core/oncall/index.ts';
import { type Instant, plusMs } from '../core/time/index.ts';
import type { AuditPort, CallSummary, Clock, Log, Lookups, Mailboxes, Reachability, TelephonyCall } from './ports.ts';

/** More events than any telephone can cause before one of them is worked off. */
const inboxLimit = 1_000;

export interface CallRunnerParts {
  readonly callId: CallId;
  readonly telephony: TelephonyCall;
  /** In force when the call arrived; it keeps them to its end. */
  readonly documents: { readonly plan: CompiledPlan; readonly roster: CompiledRoster };
  /** The same roster with the overrides made since. */
  readonly upToDate: (roster: CompiledRoster) => CompiledRoster;
  readonly reachability: Reachability;
  readonly audit: AuditPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly auditPatienceMs: number;
  /** How often each ring group was rung before; this call adds its own. */
  readonly groupTurns: Map<string, number>;
  readonly mailboxes: Mailboxes | undefined;
  readonly caller: Caller;
  /** Asks a program; the calling number is put in for those that are told it. */
  readonly askWith: (
    question: Omit<Parameters<Lookups['ask']>[0], 'caller'>,
    sendCaller: boolean,
  ) => ReturnType<Lookups['ask']>;
  /** The last thing a runner does. */
  readonly over: (summary: CallSummary) => void;
}

type MailboxEffect = Extract<
  CallEffect,
  {
    type: 'checkPin' | 'listMessages' | 'claimMessage' | 'changeMessage' | 'forwardMessage' | 'handOverMessage';
  }
>;

/** When something came: on the calendar for the record, and on the clock that never goes back for durations. */
interface Moment {
  readonly at: Instant;
  readonly monotonicMs: number;
}

/**
 * Runs one call: an inbox of events, one drained completely before the next. Facts are attested before the acts behind
 * them start. Whatever goes wrong in here ends this call and no other.
 */
export class CallRunner {
  readonly #parts: CallRunnerParts;
  readonly #arrived: Moment;
  readonly #inbox: { readonly moment: Moment; readonly event: CallEvent }[] = [];
  readonly #timers = new Set<{ cancel(): void }>();
  readonly #timeToHuman = new TimeToHuman();
  readonly #summary: { -readonly [K in keyof CallSummary]: CallSummary[K] };
  #state: CallState = expectedCall;
  #isDraining = false;
  #isOver = false;
  #isEndAttested = false;

  constructor(parts: CallRunnerParts) {
    this.#parts = parts;
    this.#arrived = this.#now();
    this.#summary = {
      callId: parts.callId,
      cause: 'internalError',
      service: null,
      urgency: null,
      acceptedBy: null,
      reach: null,
      talkedMs: 0,
      lastedMs: 0,
    };
  }

  /** null for a caller from outside. */
  get callingExtension(): string | null {
    const { from } = this.#parts.caller;
    return from.kind === 'phone' ? from.extension : null;
  }

  /** Never throws. Events after the end are ignored, but for how it sounded, which is known only then. */
  emit(event: CallEvent): void {
    if (this.#isOver) return event.type === 'soundMeasured' ? this.#afterwards(event) : undefined;
    if (this.#inbox.length >= inboxLimit) {
      void this.#fail(new Error(`more than ${inboxLimit} events wait in the inbox`));
      return;
    }
    this.#inbox.push({ moment: this.#now(), event });
    if (this.#isDraining) return;
    this.#isDraining = true;
    // Not in the caller's stack: whoever reports an event has finished its own work before we act.
    queueMicrotask(() => void this.#drain());
  }

  #afterwards(event: CallEvent): void {
    const moment = this.#now();
    const { effects } = stepCall(this.#worldAt(moment), this.#state, event);
    void this.#perform(effects, moment);
  }

  async #drain(): Promise<void> {
    try {
      for (let next = this.#inbox.shift(); next && !this.#isOver; next = this.#inbox.shift()) {
        const world = this.#worldAt(next.moment);
        const { state, effects } = stepCall(world, this.#state, next.event);
        this.#state = state;
        await this.#perform(effects, next.moment);
      }
    } catch (error) {
      await this.#fail(error);
    } finally {
      this.#isDraining = false;
    }
  }

  /** A call decides by a clock of its own: set when it arrives, it goes on whatever is done to the machine's. */
  #worldAt({ monotonicMs }: Moment): World {
    const { documents, reachability, upToDate } = this.#parts;
    return {
      at: plusMs(this.#arrived.at, Math.round(monotonicMs - this.#arrived.monotonicMs)),
      plan: documents.plan,
      roster: upToDate(documents.roster),
      isRegistered: (extension) => reachability.isRegistered(extension),
      trunkFault: (trunk) => reachability.trunkFault(trunk),
      groupTurns: (group) => this.#parts.groupTurns.get(group) ?? 0,
      greetingsOf: (mailbox) => this.#parts.mailboxes?.greetingsOf(mailbox) ?? {},
      hasRoomToRecord: () => this.#parts.mailboxes?.hasRoomToRecord() ?? true,
      messagesIn: (mailbox) => this.#parts.mailboxes?.count(mailbox) ?? 0,
    };
  }

  async #perform(effects: readonly CallEffect[], moment: Moment): Promise<void> {
    let facts: CallFact[] = [];
    for (const effect of effects) {
      if (effect.type === 'attest') {
        facts.push(effect.fact as CallFact);
        continue;
      }
      if (facts.length > 0) await this.#attest(facts, moment);
      facts = [];
      // The runner may have failed while the audit took its time.
      if (this.#isOver) return;
      this.#act(effect);
    }
    if (facts.length > 0) await this.#attest(facts, moment);
  }

  #act(effect: Exclude<CallEffect, { type: 'attest' }>): void {
    switch (effect.type) {
      case 'wakeMe':
        return this.#wake(effect.afterMs, effect.with);
      case 'lookUp':
        return this.#lookUp(effect);
      case 'setGreeting':
        return this.#parts.mailboxes?.setGreeting(effect.mailbox, effect.kind, effect.greetingId, effect.by);
      case 'setAbsenceEnd':
        return this.#parts.mailboxes?.setAbsenceEnd(effect.mailbox, effect.endsAt);
      case 'checkPin':
      case 'listMessages':
      case 'claimMessage':
      case 'changeMessage':
      case 'forwardMessage':
      case 'handOverMessage':
        return this.#inMailbox(effect);
      case 'callOver':
        this.#parts.telephony.perform(effect);
        return this.#close(effect.cause);
      default:
        this.#parts.telephony.perform(effect);
    }
  }

  #lookUp({ token, hook, url, waitMs, told, sendCaller }: Extract<CallEffect, { type: 'lookUp' }>): void {
    const question = { hook, url, waitMs, told };
    void this.#parts.askWith(question, sendCaller).then((answer) => {
      if (answer.kind === 'answered') this.emit({ type: 'lookedUp', token, answer: answer.answer, why: '' });
      else this.emit({ type: 'lookedUp', token, answer: null, why: answer.why });
    });
  }

  #inMailbox(effect: MailboxEffect): void {
    const { mailboxes, caller } = this.#parts;
    switch (effect.type) {
      case 'checkPin': {
        const { token, mailbox, pin } = effect;
        const from = caller.from.kind === 'phone' ? caller.from.extension : (caller.number ?? caller.from.trunk);
        const checked = mailboxes?.checkPin({ mailbox, pin, from }) ?? Promise.resolve('noPin' as const);
        return void checked.then((result) => this.emit({ type: 'pinChecked', token, result }));
      }
      case 'listMessages': {
        const { token, mailbox } = effect;
        const listed = mailboxes?.list(mailbox) ?? Promise.resolve(null);
        return void listed.then((messages) => this.emit({ type: 'messagesListed', token, messages }));
      }
      case 'claimMessage': {
        const { token, messageId, by } = effect;
        const claimed = mailboxes?.claim(messageId, by) ?? Promise.resolve(by);
        return void claimed.then((first) => this.emit({ type: 'claimAnswered', token, by: first }));
      }
      case 'forwardMessage': {
        const { token } = effect;
        const forwarded = mailboxes?.forward(effect) ?? Promise.resolve('there are no mailboxes');
        return void forwarded.then((why) => this.emit({ type: 'messageForwarded', token, why }));
      }
      case 'handOverMessage':
        return mailboxes?.handOver(effect.messageId, effect.service, effect.by);
      case 'changeMessage':
        return mailboxes?.change(effect.messageId, effect.change, effect.by);
    }
  }

  #wake(afterMs: number, event: CallEvent): void {
    const timer = this.#parts.clock.after(afterMs, () => {
      this.#timers.delete(timer);
      this.emit(event);
    });
    this.#timers.add(timer);
  }

  /** Decision 4: a store that cannot take a fact in time must not stop the call. The port spools and raises the alarm. */
  async #attest(facts: readonly CallFact[], moment: Moment): Promise<void> {
    const { audit, clock, log, callId, auditPatienceMs } = this.#parts;
    const { at } = moment;
    for (const fact of facts) this.#note(fact, moment);
    const written = (async () => audit.attest(facts.map((fact) => ({ at, callId, fact }))))();
    const isInTime = await new Promise<boolean>((resolve) => {
      const patience = clock.after(auditPatienceMs, () => resolve(false));
      void written
        .catch((error: unknown) => log.error({ call: callId, error }, 'audit refused facts'))
        .then(() => {
          patience.cancel();
          resolve(true);
        });
    });
    // The alarm is the store's, once; a line for each fact would keep those waiting who are late already.
    if (!isInTime) log.info({ call: callId, facts: facts.length }, 'audit is late, the call goes on');
  }

  #note(fact: CallFact, { at }: Moment): void {
    this.#timeToHuman.take(at, fact);
    switch (fact.fact) {
      case 'groupRung':
        this.#parts.groupTurns.set(fact.group, (this.#parts.groupTurns.get(fact.group) ?? 0) + 1);
        return;
      case 'escalationStarted':
        this.#summary.service = fact.service;
        this.#summary.urgency = fact.urgency;
        return;
      case 'accepted':
        this.#summary.acceptedBy = fact.person;
        return;
      case 'ended':
        this.#isEndAttested = true;
        this.#summary.talkedMs = fact.talkedMs;
        return;
      default:
    }
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isOver) return;
    const { callId, telephony, log } = this.#parts;
    const cause = 'internalError';
    log.error({ call: callId, error }, 'call ended by an error');
    // Nothing else may start while the ending is written down.
    this.#isOver = true;
    // A call has one ending on record, also when the last acts behind it went wrong.
    if (!this.#isEndAttested) {
      await this.#attest([{ fact: 'ended', cause, fault: endCauses[cause].fault, talkedMs: 0 }], this.#now());
    }
    try {
      telephony.perform({ type: 'callOver', cause });
    } catch (second) {
      log.error({ call: callId, error: second }, 'telephony could not tear the call down');
    }
    this.#close(cause);
  }

  #now(): Moment {
    const { clock } = this.#parts;
    return { at: clock.now(), monotonicMs: clock.monotonicMs() };
  }

  #close(cause: EndCause): void {
    this.#isOver = true;
    this.#inbox.length = 0;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#summary.cause = cause;
    this.#summary.reach = this.#timeToHuman.result();
    this.#summary.lastedMs = this.#parts.clock.monotonicMs() - this.#arrived.monotonicMs;
    this.#parts.over(this.#summary);
  }
}
