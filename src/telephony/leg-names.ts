import type { CallId } from '../core/call/index.ts';
import type { Random } from '../engine/ports.ts';

/**
 * Call-IDs for the INVITEs that a call sends: they begin with its own id, so that whoever looks at the wire, or asks for
 * its ladder, finds all that belongs to it. 96 random bits behind that make each of them one that nobody guesses.
 */
export class LegNames {
  readonly #random: Random;
  #callId: CallId | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  belongTo(callId: CallId): void {
    this.#callId = callId;
  }

  /** As a header: "3GA4-ABB6-K2MN.0f1e2d3c4b5a69788796a5b4" */
  next(): { readonly 'call-id': string } {
    const own = Buffer.from(this.#random.bytes(12)).toString('hex');
    // drachtio-srf 5.0.29 writes it in small letters too when it sends the INVITE again with a password.
    return { 'call-id': this.#callId === null ? own : `${this.#callId}.${own}` };
  }
}
