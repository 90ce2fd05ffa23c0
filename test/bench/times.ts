/** How long answers took, in microseconds. */
export interface Percentiles {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** Of each answer, in microseconds. */
export function timesOf<Q>(
  ask: (i: number) => Q,
  first: number,
  count: number,
  answer: (question: Q) => string,
): Float64Array {
  const tookUs = new Float64Array(count);
  // What nobody uses need not be worked out.
  let last = '';
  for (let i = 0; i < count; i++) {
    const question = ask(first + i);
    const started = process.hrtime.bigint();
    last = answer(question);
    tookUs[i] = sinceUs(started);
  }
  if (last === '') throw new Error('nobody');
  return tookUs;
}

export function percentiles(timesUs: Float64Array): Percentiles {
  const sorted = timesUs.toSorted();
  const at = (share: number) => twoPlaces(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return { p50Us: at(0.5), p99Us: at(0.99), maxUs: at(1) };
}

export function twoPlaces(value: number): number {
  return Number(value.toFixed(2));
}

export function sinceUs(started: bigint): number {
  return Number(process.hrtime.bigint() - started) / 1_000;
}
