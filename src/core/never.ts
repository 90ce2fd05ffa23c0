/** Closes a switch over a union: the compiler refuses a missing case, and a wrong cast fails loudly. */
export function never(x: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(x)}`);
}
