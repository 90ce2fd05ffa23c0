export type OnFault = (where: string, error: unknown) => void;

/**
 * drachtio-srf 5.0.29: an exception in a listener leaves the message in the parser's buffer; it is delivered again on
 * every later read and nothing else ever is. So no listener of ours may throw: the fault is reported and stays there.
 */
export function safely<A extends unknown[]>(where: string, onFault: OnFault, run: (...args: A) => void) {
  return (...args: A): void => {
    try {
      run(...args);
    } catch (error) {
      onFault(where, error);
    }
  };
}
