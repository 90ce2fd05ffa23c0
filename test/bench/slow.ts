/** `?ms=5` of a module's address. */
export function slowMsIn(url: string): number {
  return Number(new URL(url).searchParams.get('ms') ?? 0);
}

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Holds the thread up. */
export function waitMs(ms: number): void {
  if (ms > 0) Atomics.wait(nothing, 0, 0, ms);
}
