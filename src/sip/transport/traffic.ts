import { knownMethods } from '../message/methods.ts';
import type { SipMessage } from '../message/sip-message.ts';
import type { Vantage } from './flow.ts';

/** Messages by what they are: `INVITE`, `200 INVITE`. Methods that nobody knows count as `other`. */
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
    if (message.kind === 'request') return add(this.#received, message.method);
    add(this.#received, String(message.status), methodIn(message.headers.get('CSeq') ?? ''));
  }

  /** Whole messages only; a keep-alive is none. */
  countSent(bytes: Buffer, flow: Vantage): void {
    if (bytes.length <= 4) return;
    this.#tap?.(true, bytes, flow);
    const isResponse = bytes[0] === 83 && bytes[3] === 47;
    if (!isResponse) return add(this.#sent, bytes.toString('latin1', 0, bytes.indexOf(32)));
    add(this.#sent, bytes.toString('latin1', 8, 11), methodIn(cseqIn(bytes)));
  }

  get received(): Tally {
    return Object.fromEntries(this.#received);
  }

  get sent(): Tally {
    return Object.fromEntries(this.#sent);
  }
}

const cseq = Buffer.from('\r\nCSeq: ');

/** As we write it ourselves. */
function cseqIn(bytes: Buffer): string {
  const from = bytes.indexOf(cseq) + cseq.length;
  return from < cseq.length ? '' : bytes.toString('latin1', from, bytes.indexOf(13, from));
}

/** Of "17 INVITE". */
function methodIn(cseqValue: string): string {
  return cseqValue.slice(cseqValue.lastIndexOf(' ') + 1);
}

// Strangers choose the words: only those we know become names of counters.
function add(counts: Map<string, number>, what: string, method?: string): void {
  const isKnown = method === undefined ? knownMethods.has(what) : /^[1-6][0-9]{2}$/.test(what);
  const name = isKnown ? what : 'other';
  const key = method === undefined ? name : `${name} ${knownMethods.has(method) ? method : 'other'}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
