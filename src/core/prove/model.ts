import type { Problem, ServiceId, Urgency } from '../oncall/index.ts';
import type { KeyPress } from '../simulate/index.ts';
import type { Instant, Span } from '../time/index.ts';

/**
 * What is proved of plan and roster together, and how what cannot be proved is shown. docs/adr/0023 argues why the
 * exploration may leave out what it leaves out.
 */

/** What the house knows of its phones. Without it every phone of the documents counts as one that can ring. */
export interface House {
  /** Extensions that have a phone which may register. */
  readonly phones: ReadonlySet<string>;
}

export const faultKinds = [
  /** The call comes back to where it was, and nobody has pressed a key. */
  'loop',
  /** A clinical call ends, and nobody staffed was rung and no message was taken. */
  'deadEnd',
  /** What stands at the end of a clinical call is nobody of whom the documents say that somebody is there. */
  'noStaffedLastResort',
  /** The last resort comes later than it may. */
  'tooLate',
  /** No step of a chain rings any phone. */
  'nobodyRings',
  /** A tier that has rules, and nobody holds it. */
  'coverageGap',
  /** A clinical call may be connected to something that has not shown to be a human. */
  'unconfirmedAnswer',
  /** A step has somebody to ring, and no phone that could. */
  'stepCannotRing',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Something that some call, at some instant, would run into. It stands in the document where it can be mended. */
export interface Fault extends Problem {
  readonly kind: FaultKind;
  readonly example: CounterExample;
  /** Stretches of time in which it is so. */
  readonly times: number;
}

/** A call that shows the fault. `plan simulate` tells it. */
export interface CounterExample {
  /** Extension that calls; null: from outside. */
  readonly from: string | null;
  /** Number that a caller from outside shows, and by which trunk the call comes; null: none, and the usual one. */
  readonly number: string | null;
  readonly trunk: string | null;
  readonly to: string;
  readonly at: Instant;
  /** In their order, and how long the caller takes over each. */
  readonly keys: readonly KeyPress[];
  /** Phones that are supposed not to be registered. */
  readonly unregistered: readonly string[];
  /**
   * Phones that are picked up by something that presses nothing, how long after they began to ring, and how often they
   * have rung before in this call and nobody answered.
   */
  readonly machines: readonly { readonly phone: string; readonly afterMs: number; readonly ringsBefore: number }[];
  /** What programs of the house answer, in the order in which they are asked; null: nothing. */
  readonly answers: readonly { readonly hook: string; readonly answer: string | null }[];
  /** Places in the plan and the roster, in the order in which the call comes by. */
  readonly path: readonly string[];
  /** What the fault is about, for the check by simulation. */
  readonly about: { readonly service: ServiceId | null; readonly step: number | null; readonly limitMs: number | null };
}

export interface Proof {
  readonly span: Span;
  readonly faults: readonly Fault[];
  readonly explored: Explored;
}

export interface Explored {
  readonly entries: number;
  readonly clinical: number;
  /** Services by urgency that some entry leads to. */
  readonly chains: number;
  /** Instants at which something changes, over all chains. */
  readonly instants: number;
}

/** From when it is known how urgent a call is to when a staffed last resort rings or records, unless a chain says it. */
export const budgetsMs: Readonly<Record<Urgency, number>> = { stat: 120_000, urgent: 180_000, routine: 300_000 };

/** From the last key of a caller, or the dialling, to when a chain begins or the last resort rings or records. */
export const patienceMs = 120_000;

export const DAYS_AHEAD = 90;
