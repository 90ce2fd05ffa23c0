import type { Urgency } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import type { CallFact } from './facts.ts';

/** What most of the waiting was spent on when a call reached nobody in time. */
export const breachCauses = ['media', 'trunk', 'declined', 'mailbox', 'ringTime', 'noRoster'] as const;
export type BreachCause = (typeof breachCauses)[number];

/** How one call that asked for somebody on call got on. */
export interface Reach {
  readonly arrivedAt: Instant;
  /** The calling extension, or "trunk carrier". */
  readonly from: string;
  readonly service: string;
  readonly urgency: Urgency;
  /** From the arrival to the first human who took it, null when nobody did. */
  readonly timeToHumanMs: number | null;
  /** The caller gave up before the time was over: neither reached nor too late. */
  readonly isAbandoned: boolean;
  /** null when somebody took it in time. */
  readonly breach: BreachCause | null;
}

/** Within this a human should have taken the call, milliseconds; what the proof of a plan asks for too. */
export const TARGET_MS: Readonly<Record<Urgency, number>> = { stat: 120_000, urgent: 180_000, routine: 300_000 };

/** Of several things that went wrong within a step the one that stands first in `breachCauses` counts. */
type Step = { readonly startedAt: Instant; readonly saw: Set<BreachCause>; isRung: boolean };

/**
 * Follows one call, fact by fact, from INVITE to a confirmed human. The running house and the reports over its audit use
 * this very class, so that both tell the same figures.
 */
export class TimeToHuman {
  #arrivedAt: Instant | null = null;
  #lastAt: Instant | null = null;
  #from = '';
  #asked: { readonly service: string; readonly urgency: Urgency } | null = null;
  #takenAt: Instant | null = null;
  #step: Step | null = null;
  /** Everybody was tried. */
  #isExhausted = false;
  #hasCallerLeft = false;
  readonly #lostMs = new Map<BreachCause, number>();

  /** In order. Facts of a call that asks for nobody on call are passed over. */
  take(at: Instant, fact: CallFact): void {
    this.#lastAt = at;
    if (this.#takenAt !== null) return;
    switch (fact.fact) {
      case 'arrived':
        this.#arrivedAt = at;
        this.#from = fact.from;
        return;
      case 'escalationStarted':
        this.#asked ??= { service: fact.service, urgency: fact.urgency };
        return;
      case 'stepStarted':
        this.#endStep(at);
        this.#step = { startedAt: at, saw: new Set(), isRung: false };
        return;
      case 'accepted':
        // A plain call that somebody picks up is no consult.
        if (this.#asked === null) return;
        this.#endStep(at);
        this.#takenAt = at;
        return;
      case 'nobodyAccepted':
        this.#isExhausted = true;
        this.#endStep(at);
        return;
      case 'ended':
        this.#endStep(at);
        this.#hasCallerLeft = fact.cause === 'callerHungUp' || fact.cause === 'callerCancelled';
        return;
      case 'legRung':
        if (this.#step !== null) this.#step.isRung = true;
        return;
      default: {
        const cause = causeIn(fact);
        if (cause !== null) this.#step?.saw.add(cause);
      }
    }
  }

  /** As far as the call has come; null for one that asked for nobody on call. */
  result(): Reach | null {
    if (this.#asked === null || this.#arrivedAt === null || this.#lastAt === null) return null;
    const { service, urgency } = this.#asked;
    const arrivedAt = this.#arrivedAt;
    const timeToHumanMs = this.#takenAt === null ? null : this.#takenAt - arrivedAt;
    const isLate = (timeToHumanMs ?? this.#lastAt - arrivedAt) > TARGET_MS[urgency];
    const isAbandoned = timeToHumanMs === null && !isLate && this.#hasCallerLeft && !this.#isExhausted;
    const breach = isLate || (timeToHumanMs === null && !isAbandoned) ? this.#worst() : null;
    return { arrivedAt, from: this.#from, service, urgency, timeToHumanMs, isAbandoned, breach };
  }

  #endStep(at: Instant): void {
    const step = this.#step;
    this.#step = null;
    if (step === null) return;
    const cause = breachCauses.find((one) => step.saw.has(one)) ?? (step.isRung ? 'ringTime' : 'noRoster');
    this.#lostMs.set(cause, (this.#lostMs.get(cause) ?? 0) + (at - step.startedAt));
  }

  #worst(): BreachCause {
    let worst: BreachCause = 'noRoster';
    let most = -1;
    for (const cause of breachCauses) {
      const lost = this.#lostMs.get(cause) ?? -1;
      if (lost > most) [worst, most] = [cause, lost];
    }
    return worst;
  }
}

function causeIn(fact: CallFact): BreachCause | null {
  switch (fact.fact) {
    case 'legEnded':
      switch (fact.result.kind) {
        case 'mediaFailed':
        case 'mediaLost':
          return 'media';
        case 'trunkUnavailable':
        case 'unreachable':
          return 'trunk';
        case 'declined':
        case 'busy':
          return 'declined';
        default:
          return null;
      }
    case 'challengeAnswered':
      if (fact.result === 'declined') return 'declined';
      return fact.result === 'accepted' || fact.result === 'tooLate' ? null : 'mailbox';
    default:
      return null;
  }
}
