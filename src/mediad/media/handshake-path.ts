/**
 * The way of DTLS between a leg's socket and the signalling thread, which knows the keys' makers: in only from where sound
 * could come, out to where it would go. What there is nobody to send to yet waits for a place.
 */
import type { Endpoint } from './messages.ts';

/** A handshake has about ten datagrams and is over in a second; more than that is somebody who wants to keep us busy. */
const MOST_PER_SECOND = 40;
const SECOND_MS = 1000;
const MOST_WAITING = 4;

export class HandshakePath {
  readonly #send: (datagram: Buffer, to: Endpoint) => void;
  #waiting: Buffer[] = [];
  #lastSource: Endpoint | undefined;
  #sinceMs = 0;
  #heard = 0;

  constructor(send: (datagram: Buffer, to: Endpoint) => void) {
    this.#send = send;
  }

  /** False: too many. */
  mayHear({ address, port }: Endpoint, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= SECOND_MS) {
      this.#sinceMs = nowMs;
      this.#heard = 0;
    }
    this.#heard += 1;
    if (this.#heard > MOST_PER_SECOND) return false;
    this.#lastSource = { address, port };
    return true;
  }

  /** `nominated`: by ICE; without it the answer goes to where the question came from, or else to `signalled`. */
  send(datagram: Buffer, to: { readonly nominated?: Endpoint; readonly signalled?: Endpoint }): void {
    const target = to.nominated ?? (to.signalled === undefined ? undefined : (this.#lastSource ?? to.signalled));
    if (target !== undefined) return this.#send(datagram, target);
    this.#waiting = [...this.#waiting, datagram].slice(-MOST_WAITING);
  }

  opened(to: Endpoint): void {
    for (const datagram of this.#waiting) this.#send(datagram, to);
    this.#waiting = [];
  }
}
