/**
 * Anything that names a caller or a patient travels inside `Phi`. It prints `[phi]` wherever it is logged, joined or
 * serialised; only `reveal()` gives the value, so every place that may see it can be found by that word.
 */
export class Phi<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[phi]';
  }

  toJSON(): string {
    return '[phi]';
  }

  // node:util prints objects by this well-known symbol; the core does not import node, so it is named here.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[phi]';
  }
}

export function phi<T>(value: T): Phi<T> {
  return new Phi(value);
}
