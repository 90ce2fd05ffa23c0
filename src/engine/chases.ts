import type { CallId, Errand, Party, World } from '../core/call/index.ts';
import type { Instant } from '../core/time/index.ts';
import {
  type Chase,
  type Chased,
  chasedOf,
  type ChaseEffect,
  type ChaseEvent,
  expectedChase,
  stepChase,
} from '../core/voicemail/index.ts';
import type { AuditPort, ChaseBook, ChasedMessage, Clock, Documents, Log, Reachability } from './ports.ts';

/** A claim by phone or by a command is seen this soon. */
const everyMs = 2_000;
/** Whoever is on the phone is called this much later. */
const busyMs = 10_000;

export interface ChaseParts {
  readonly book: ChaseBook;
  readonly documents: Documents;
  readonly reachability: Reachability;
  readonly audit: AuditPort;
  readonly clock: Clock;
  readonly log: Log;
  /** null: the house takes no calls now. */
  readonly callOut: (party: Party, errand: Errand) => { settled(): void } | null;
  /** Where whoever made a call can be called; null: nowhere. Somebody who is on the phone is not disturbed. */
  readonly callerOf: (callId: CallId) => Party | 'busy' | null;
}

interface Running {
  chase: Chase;
  /** Those of the step in work, and of the one before: nobody's phone rings longer. */
  calls: { readonly round: number; settled(): void }[];
  /** What stands in the store is what happened last. */
  isWritten: boolean;
  /** Events of one message are worked off one after the other. */
  work: Promise<void>;
}

/**
 * Follows urgent messages through the roster of now until somebody takes them. What is open stands in the store: a
 * message is followed from the moment it is there, by whichever process finds it.
 */
export class Chases {
  readonly #parts: ChaseParts;
  readonly #running = new Map<string, Running>();
  readonly #timers = new Set<{ cancel(): void }>();
  #roster: unknown = null;
  #isClosed = false;

  constructor(parts: ChaseParts) {
    this.#parts = parts;
  }

  get open(): number {
    return [...this.#running.values()].filter(({ chase }) => chase.name !== 'over').length;
  }

  start(): void {
    this.#look();
  }

  /** Resolves when what is being written is written. What is open goes on in the next process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    await Promise.all([...this.#running.values()].map(({ work }) => work));
  }

  #look(): void {
    if (this.#isClosed) return;
    try {
      const { roster } = this.#parts.documents.current();
      const hasChanged = this.#roster !== null && this.#roster !== roster;
      this.#roster = roster;
      for (const message of this.#parts.book.open()) this.#follow(message);
      if (hasChanged) for (const messageId of this.#running.keys()) this.#happens(messageId, { type: 'rosterChanged' });
    } catch (error) {
      this.#parts.log.error({ err: error }, 'urgent messages could not be looked for, it is tried again');
    }
    this.#after(everyMs, () => this.#look());
  }

  #follow({ left, chase, claimedBy, isGone }: ChasedMessage): void {
    const { messageId } = left;
    const about = chasedOf(this.#parts.documents.current().roster, left);
    const known = this.#running.get(messageId);
    // Taken or deleted while nobody looked: not a single phone rings for it.
    const isSettled = claimedBy !== null || isGone;
    if (known === undefined) {
      const isNew = chase === null || chase.name === 'expected';
      if (about === null || (isNew && isSettled)) return;
      const running = { chase: chase ?? expectedChase, calls: [], isWritten: true, work: Promise.resolve() };
      this.#running.set(messageId, running);
      if (isNew) this.#happens(messageId, { type: 'urgentMessageLeft', message: about });
      else if (isFollowedAgain(running.chase, about)) this.#happens(messageId, { type: 'followAgain', message: about });
      else if (!isSettled || running.chase.name === 'over') this.#happens(messageId, { type: 'chaseResumed' });
    } else if (about !== null && isFollowedAgain(known.chase, about)) {
      this.#happens(messageId, { type: 'followAgain', message: about });
    }
    if (claimedBy !== null) this.#happens(messageId, { type: 'messageClaimed', by: claimedBy });
    else if (isGone) this.#happens(messageId, { type: 'messageDeleted' });
  }

  #happens(messageId: string, event: ChaseEvent): void {
    const running = this.#running.get(messageId);
    if (running === undefined || this.#isClosed) return;
    running.work = running.work.then(() => this.#step(messageId, running, event));
  }

  /** Attested, then done, then written down: a kill in between has somebody called twice, and nobody not at all. */
  async #step(messageId: string, running: Running, event: ChaseEvent): Promise<void> {
    const { audit, clock, log, book } = this.#parts;
    try {
      const at = clock.now();
      const { state, effects } = stepChase(this.#world(at), running.chase, event);
      if (state === running.chase && effects.length === 0 && running.isWritten) return;
      running.chase = state;
      running.isWritten = false;
      const facts = effects.flatMap((effect) =>
        effect.type === 'attest' ? [{ at, callId: null, fact: effect.fact }] : [],
      );
      if (facts.length > 0) await audit.attest(facts);
      if (this.#isClosed) return;
      if (state.name === 'over') for (const call of running.calls) call.settled();
      for (const effect of effects) if (effect.type !== 'attest') this.#act(messageId, running, effect);
      book.save(messageId, state, at);
      running.isWritten = true;
      if (state.name === 'over' && !state.callerDue) this.#running.delete(messageId);
    } catch (error) {
      // The step counts in this process; it is written with the next event, and the end of a chase at the next look.
      log.error({ message: messageId, err: error }, 'chase of a message could not be written down');
    }
  }

  #act(messageId: string, running: Running, effect: Exclude<ChaseEffect, { type: 'attest' }>): void {
    switch (effect.type) {
      case 'wakeMe':
        return this.#after(effect.afterMs, () => this.#happens(messageId, effect.with));
      case 'tellOfMessage':
        if (running.chase.name !== 'chasing') return;
        return this.#tellOfMessage(running, running.chase.round, effect);
      case 'tellCaller':
        return this.#after(effect.afterMs, () => this.#tellCaller(effect));
    }
  }

  /** A house that has no line free now calls as soon as it has one, for as long as the step lasts. */
  #tellOfMessage(running: Running, round: number, effect: Extract<ChaseEffect, { type: 'tellOfMessage' }>): void {
    const { messageId, mailbox, person, target, opener } = effect;
    if (running.chase.name !== 'chasing' || running.chase.round !== round || this.#isClosed) return;
    const call = this.#parts.callOut({ person, target }, { errand: 'deliver', messageId, mailbox, opener });
    if (call === null) return this.#after(busyMs, () => this.#tellOfMessage(running, round, effect));
    const lately = running.calls.filter((one) => one.round >= round - 1);
    running.calls = [...lately, { round, settled: () => call.settled() }];
  }

  #tellCaller(effect: Extract<ChaseEffect, { type: 'tellCaller' }>): void {
    const { messageId, mailbox, callId, that } = effect;
    // Told otherwise meanwhile, or somebody has it.
    if (this.#running.get(messageId)?.chase.name !== (that === 'claimed' ? 'over' : 'chasing')) return;
    const party = this.#parts.callerOf(callId);
    const errand = that === 'claimed' ? 'tellClaimed' : 'tellUnclaimed';
    const isBusy =
      party === 'busy' || (party !== null && this.#parts.callOut(party, { errand, messageId, mailbox }) === null);
    if (isBusy) return this.#after(busyMs, () => this.#tellCaller(effect));
    // A kill before this is written has them called twice, and not never.
    this.#happens(messageId, { type: 'callerTold', that });
  }

  #after(ms: number, run: () => void): void {
    const timer = this.#parts.clock.after(ms, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #world(at: Instant): World {
    const { documents, reachability } = this.#parts;
    return {
      ...documents.current(),
      at,
      isRegistered: (extension) => reachability.isRegistered(extension),
      trunkFault: (trunk) => reachability.trunkFault(trunk),
    };
  }
}

/** It was brought back, or handed over, since this chase began. */
function isFollowedAgain(chase: Chase, { again }: Chased): boolean {
  if (!again) return false;
  if (chase.name === 'chasing') return chase.about.again?.at !== again.at;
  if (chase.name === 'over' && chase.callerDue) return chase.callerDue.about.again?.at !== again.at;
  // The store gives one that is over, and owes nobody a call, only when it is to be followed again.
  return chase.name === 'over';
}
