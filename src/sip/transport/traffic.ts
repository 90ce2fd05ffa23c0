import { knownMethods } from '../message/methods.ts';
import type { SipMessage } from '../message/sip-message.ts';
import type { Vantage } from './flow.ts';

/** Messages by what they are: `INVITE`, `200`. Methods that nobody knows count as `other`. */
export type Tally = Readonly<Record<string, number>>;

/**
 * Sees each message as it is on the wire, retransmissions included. It must not throw, nor keep the bytes: they are part
 * of something larger.
 */
export type WireTap = (isSent: boolean, bytes: Buffer, flow: Vantage) => void;

/** What has come and gone since the start, retransmissions included. */
export class Traffic {
  readonly #tap: WireTap | undefined;
  readonly #received = new Map<string, number>();
  readonly #sent = new Map<string, number>();

  constructor(tap?: WireTap) {
    this.#tap = tap;
  }

  /** Bytes that are about to be parsed. */
  arrived(bytes: Buffer, flow: Vantage): void {
    this.#tap?.(false, bytes, flow);
  }

  countReceived(message: SipMessage): void {
    add(this.#received, message.kind === 'response' ? String(message.status) : message.method);
  }

  /** Whole messages only; a keep-alive is none. */
  countSent(bytes: Buffer, flow: Vantage): void {
    if (bytes.length <= 4) return;
    this.#tap?.(true, bytes, flow);
    const isResponse = bytes[0] === 83 && bytes[3] === 47;
    add(this.#sent, isResponse ? bytes.toString('latin1', 8, 11) : bytes.toString('latin1', 0, bytes.indexOf(32)));
  }

  get received(): Tally {
    return Object.fromEntries(this.#received);
  }

  get sent(): Tally {
    return Object.fromEntries(this.#sent);
  }
}

// Strangers choose the words: only those we know become names of counters.
function add(counts: Map<string, number>, what: string): void {
  const isKnown = knownMethods.has(what) || /^[1-6][0-9]{2}$/.test(what);
  const name = isKnown ? what : 'other';
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
