/** Longer than any number that is dialled. */
const startLineBytes = 200;

/** Calls to these numbers go before all others: when messages are too many, and when calls are. */
export class ReservedCalls {
  readonly #always: readonly string[];
  #numbers: ReadonlySet<string>;

  constructor(numbers: readonly string[]) {
    this.#always = numbers;
    this.#numbers = new Set(numbers);
  }

  get count(): number {
    return this.#numbers.size;
  }

  /** These besides those that always are, in place of those of the last time. */
  reserve(numbers: readonly string[]): void {
    this.#numbers = new Set([...this.#always, ...numbers]);
  }

  /** Of a datagram or message that nobody has parsed. */
  isAskedForIn(bytes: Buffer): boolean {
    if (this.#numbers.size === 0 || bytes.length < 12) return false;
    const line = bytes.toString('latin1', 0, Math.min(bytes.length, startLineBytes));
    return line.startsWith('INVITE ') && this.#numbers.has(userOf(line.slice(7)));
  }

  /** Of a Request-URI. */
  isAskedForBy(uri: string): boolean {
    return this.#numbers.has(userOf(uri));
  }
}

/** The user of a sip: URI, without its parameters; '' if there is none. */
function userOf(uri: string): string {
  const at = uri.indexOf('@');
  const colon = uri.indexOf(':');
  if (colon < 0 || at < colon) return '';
  const user = uri.slice(colon + 1, at);
  const semicolon = user.indexOf(';');
  return semicolon < 0 ? user : user.slice(0, semicolon);
}
