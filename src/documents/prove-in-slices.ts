import type { Fault, Proof } from '../core/prove/index.ts';
import type { Clock } from '../engine/ports.ts';

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

/** Faults that a change would bring. What is wrong already is no reason to refuse it: it may be on the way to better. */
export function newFaults(proof: Proof, before: Proof): readonly Fault[] {
  const known = new Set(before.faults.map(nameOf));
  return proof.faults.filter((fault) => !known.has(nameOf(fault)));
}

function nameOf({ kind, document, path, reason }: Fault): string {
  return [kind, document, path, reason].join('|');
}
