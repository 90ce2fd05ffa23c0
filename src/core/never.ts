/**
 * Closes a switch over a union: the compiler refuses a missing case, and a wrong cast fails loudly. The error goes to a
 * log, so it says which case it was and nothing of what that carries, which may be a patient's number.
 */
export function never(x: never): never {
  throw new Error(`unhandled case: ${caseOf(x)}`);
}

/** By these keys the unions of this house tell their cases apart. */
const DISCRIMINANTS = ['type', 'kind', 'name', 'verb', 'move', 'fact'] as const;

function caseOf(x: unknown): string {
  if (typeof x !== 'object' || x === null) return String(x);
  const key = DISCRIMINANTS.find((one) => Object.hasOwn(x, one));
  return key === undefined
    ? `an object of ${Object.keys(x).join(', ')}`
    : `${key} ${String((x as Record<string, unknown>)[key])}`;
}
