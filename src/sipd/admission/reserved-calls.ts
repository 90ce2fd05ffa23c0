/** Longer than any number that is dialled. */
const startLineBytes = 200;

/** Calls to these numbers go before all others: when messages are too many, and when calls are. */
export class ReservedCalls {
  readonly #always: readonly string[];
  /** What each app has asked for: those of one do not take away those of another. */
  readonly #byApp = new Map<object, readonly string[]>();
  /** Of apps that are gone: theirs are the calls that wait for the next one, until that one has said what it wants. */
  #left: readonly string[] = [];
  #numbers: ReadonlySet<string>;

  constructor(numbers: readonly string[]) {
    this.#always = numbers;
    this.#numbers = new Set(numbers);
  }

  get count(): number {
    return this.#numbers.size;
  }

  /** These besides those that always are, in place of those that this app has asked for before. */
  reserve(app: object, numbers: readonly string[]): void {
    this.#byApp.set(app, numbers);
    this.#left = [];
    this.#gather();
  }

  appGone(app: object): void {
    const numbers = this.#byApp.get(app);
    if (numbers === undefined) return;
    this.#byApp.delete(app);
    if (this.#byApp.size === 0) this.#left = numbers;
    this.#gather();
  }

  /** Of a datagram or message that nobody has parsed. */
  isAskedForIn(bytes: Buffer): boolean {
    if (this.#numbers.size === 0 || bytes.length < 12) return false;
    const line = bytes.toString('latin1', 0, Math.min(bytes.length, startLineBytes));
    return line.startsWith('INVITE ') && this.isAskedForBy(line.slice(7, line.indexOf(' ', 7)));
  }

  /** Of a Request-URI. */
  isAskedForBy(uri: string): boolean {
    return this.#numbers.has(numberIn(uri));
  }

  #gather(): void {
    this.#numbers = new Set([...this.#always, ...this.#left, ...[...this.#byApp.values()].flat()]);
  }
}

/** The user of a sip: URI or the number of a tel: URI, without parameters; '' if there is none. */
function numberIn(uri: string): string {
  const colon = uri.indexOf(':');
  const at = uri.indexOf('@');
  if (at < colon && !/^tel:/i.test(uri)) return '';
  const user = uri.slice(colon + 1, at < 0 ? uri.length : at);
  const semicolon = user.indexOf(';');
  const number = semicolon < 0 ? user : user.slice(0, semicolon);
  // As it is dialled, without what people write between the digits (RFC 3966 5.1.1).
  return /^\+?[\d().-]+$/.test(number) ? number.replaceAll(/[().-]/g, '') : number;
}
