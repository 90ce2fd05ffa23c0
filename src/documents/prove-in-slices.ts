import type { Fault, Proof } from '../core/prove/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Clock } from '../engine/ports.ts';
import type { LoadResult } from './load.ts';
import type { DocumentProblem } from './problem.ts';
import { problemOf, provingDocuments } from './prove.ts';

type Good = Extract<LoadResult, { kind: 'ok' }>;

/** Calls are decided in between: a proof has the processor for half of the time at most. */
const SLICE_MS = 4;
const BETWEEN_MS = 4;

/** Runs a proof beside everything else; null when it is not wanted any more. */
export async function proveInSlices(
  work: Generator<void, Proof>,
  clock: Clock,
  isWanted: () => boolean,
): Promise<Proof | null> {
  for (;;) {
    const until = clock.monotonicMs() + SLICE_MS;
    do {
      const next = work.next();
      if (next.done) return next.value;
    } while (clock.monotonicMs() < until);
    await new Promise<void>((resolve) => clock.after(BETWEEN_MS, resolve));
    if (!isWanted()) return null;
  }
}

/** What a version would bring of faults that the one in force does not have, found out in one go. */
export function faultsBrought(candidate: Good, inForce: Good | null, now: Instant): readonly DocumentProblem[] {
  const proof = inOneGo(provingDocuments(candidate, now));
  const before = proof.faults.length > 0 && inForce !== null ? inOneGo(provingDocuments(inForce, now)) : null;
  return newFaults(proof, before).map((fault) => problemOf(candidate, fault));
}

export function inOneGo(work: Generator<void, Proof>): Proof {
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
  }
}

/** Faults that a change would bring. What is wrong already is no reason to refuse it: it may be on the way to better. */
export function newFaults(proof: Proof, before: Proof | null): readonly Fault[] {
  const known = new Set(before?.faults.map(nameOf));
  return proof.faults.filter((fault) => !known.has(nameOf(fault)));
}

function nameOf({ kind, document, path, reason }: Fault): string {
  return [kind, document, path, reason].join('|');
}
