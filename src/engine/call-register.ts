import type { CallId } from '../core/call/index.ts';
import type { Random } from './ports.ts';

/** Without letters and digits that are mistaken for each other when they are read out over a telephone. */
const alphabet = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';

/** Calls that are running, by id. */
export class CallRegister<C> {
  readonly #calls = new Map<CallId, C>();
  readonly #random: Random;
  #whenEmpty: (() => void)[] = [];
  #lastDigit = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#calls.size;
  }

  calls(): readonly (readonly [CallId, C])[] {
    return [...this.#calls];
  }

  add(callId: CallId, call: C): void {
    this.#calls.set(callId, call);
  }

  remove(callId: CallId): void {
    this.#calls.delete(callId);
    if (this.#calls.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** Resolves when no call is running. */
  async empty(): Promise<void> {
    if (this.#calls.size === 0) return;
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** "K7QX-2M4D-9RTB": 59 bits, so that among all calls of the six years that records are kept no two share one. */
  newCallId(): CallId {
    const four = () => Array.from({ length: 4 }, () => alphabet[this.#random.below(alphabet.length)]).join('');
    return `${four()}-${four()}-${four()}` as CallId;
  }

  /** '1'…'8', never that of the call before: a mailbox that learnt one digit does not get the next call. */
  newAcceptDigit(): string {
    // Of the eight digits the seven others.
    const step = this.#lastDigit === 0 ? this.#random.below(8) : 1 + this.#random.below(7);
    this.#lastDigit = (((this.#lastDigit === 0 ? 0 : this.#lastDigit - 1) + step) % 8) + 1;
    return String(this.#lastDigit);
  }

  newMessageId(): string {
    return Buffer.from(this.#random.bytes(16)).toString('hex');
  }
}
