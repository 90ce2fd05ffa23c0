import { type CallFact, TimeToHuman } from '../core/audit/index.ts';
import { type AdoptedState, type CallEvent, type CallId, type LegId, stepAdopted } from '../core/call/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { AdoptedTalk, AuditPort, CallSummary, Clock } from './ports.ts';

/** What is on record of a call, in order. */
export type Recorded = readonly { readonly at: Instant; readonly fact: CallFact }[];

/** What the record of a call says of its conversation; null when nobody was connected. */
export function talkOf(recorded: Recorded): AdoptedState | null {
  const bridged = recorded.findLast(({ fact }) => fact.fact === 'bridged');
  return bridged?.fact.fact === 'bridged' ? { leg: bridged.fact.leg as LegId, since: bridged.at } : null;
}

export interface AdoptedCallParts {
  readonly callId: CallId;
  readonly talk: AdoptedState;
  readonly recorded: Recorded;
  readonly audit: AuditPort;
  readonly clock: Clock;
  /** The last thing it does. */
  readonly over: (summary: CallSummary) => void;
}

/** One conversation of an earlier process, until it ends: then its record is closed as that of any other call. */
export class AdoptedCall {
  readonly #parts: AdoptedCallParts;
  #telephony: AdoptedTalk | null = null;
  #isOver = false;

  constructor(parts: AdoptedCallParts) {
    this.#parts = parts;
  }

  /** It is there, at the other end too. */
  found(telephony: AdoptedTalk): void {
    this.#telephony = telephony;
  }

  /** null for a caller from outside. */
  get callingExtension(): string | null {
    const arrived = this.#parts.recorded.find(({ fact }) => fact.fact === 'arrived')?.fact;
    if (arrived?.fact !== 'arrived' || arrived.from.startsWith('trunk ')) return null;
    return arrived.from;
  }

  /** Never throws. Events after the end are ignored. */
  emit(event: CallEvent): void {
    const { callId, talk, audit, clock } = this.#parts;
    const at = clock.now();
    const ending = this.#isOver ? null : stepAdopted(talk, event, at);
    if (ending === null) return;
    this.#isOver = true;
    // What is on record first, as ever; the port never rejects.
    void audit.attest(ending.facts.map((fact) => ({ at, callId, fact }))).then(() => {
      this.#telephony?.hangUp(ending.cause);
      this.#parts.over(this.#summary(ending.facts, ending.cause, at));
    });
  }

  #summary(facts: readonly CallFact[], cause: CallSummary['cause'], at: Instant): CallSummary {
    const { callId, recorded, talk } = this.#parts;
    const all = [...recorded, ...facts.map((fact) => ({ at, fact }))];
    const reach = new TimeToHuman();
    for (const one of all) reach.take(one.at, one.fact);
    const asked = all.findLast(({ fact }) => fact.fact === 'escalationStarted')?.fact;
    const accepted = all.findLast(({ fact }) => fact.fact === 'accepted')?.fact;
    return {
      callId,
      cause,
      service: asked?.fact === 'escalationStarted' ? asked.service : null,
      urgency: asked?.fact === 'escalationStarted' ? asked.urgency : null,
      acceptedBy: accepted?.fact === 'accepted' ? accepted.person : null,
      reach: reach.result(),
      talkedMs: Math.max(0, at - talk.since),
      lastedMs: at - (all[0]?.at ?? at),
    };
  }
}
