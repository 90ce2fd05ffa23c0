/**
 * Symmetric RTP without RTP bleed: the first packet from an address that belongs to this call decides where we send, once. Packets from
 * exactly the signalled address and port win at once; from the same host but another port (NAT) they win after 200 ms without such a packet.
 *
 *   waiting --signalled source--> latched
 *   waiting --allowed host------> choosing --200 ms--> latched
 */
import type { Endpoint } from './messages.ts';

/** Whose packets are heard, and where ours go. */
export interface SourceLatch {
  /** Whether one from there may belong to this call: asked before it costs anything to find out, and changes nothing. */
  couldAccept(source: Endpoint): boolean;
  /** Whether a packet from there belongs to this call. */
  accept(source: Endpoint, nowMs: number): boolean;
  /** Where to send now; undefined: nobody knows yet. */
  readonly target: Endpoint | undefined;
  describe(): string;
}

const CHOOSING_MS = 200;

type State =
  | { readonly name: 'waiting' }
  | { readonly name: 'choosing'; readonly candidate: Endpoint; readonly sinceMs: number }
  | { readonly name: 'latched'; readonly source: Endpoint };

export class Latch implements SourceLatch {
  readonly #signalled: Endpoint;
  readonly #hosts: readonly string[];
  readonly #latched: (source: Endpoint) => void;
  #state: State = { name: 'waiting' };

  constructor(signalled: Endpoint, alsoFrom: readonly string[], latched: (source: Endpoint) => void) {
    this.#signalled = signalled;
    this.#hosts = [signalled.address, ...alsoFrom];
    this.#latched = latched;
  }

  couldAccept(source: Endpoint): boolean {
    const state = this.#state;
    return state.name === 'latched' ? isSame(state.source, source) : this.#hosts.includes(source.address);
  }

  accept(source: Endpoint, nowMs: number): boolean {
    const state = this.#state;
    // Forged: nobody can be reached there, and sending there throws.
    if (source.port === 0) return false;
    if (state.name === 'latched') return isSame(state.source, source);
    if (isSame(source, this.#signalled)) return this.#latch(source);
    if (state.name === 'waiting') {
      if (!this.#hosts.includes(source.address)) return false;
      this.#state = { name: 'choosing', candidate: { address: source.address, port: source.port }, sinceMs: nowMs };
      return true;
    }
    if (!isSame(source, state.candidate)) return false;
    if (nowMs - state.sinceMs >= CHOOSING_MS) this.#latch(source);
    return true;
  }

  get target(): Endpoint {
    if (this.#state.name === 'latched') return this.#state.source;
    return this.#state.name === 'choosing' ? this.#state.candidate : this.#signalled;
  }

  describe(): string {
    return `latch(${this.#state.name})`;
  }

  #latch(source: Endpoint): true {
    const kept = { address: source.address, port: source.port };
    this.#state = { name: 'latched', source: kept };
    this.#latched(kept);
    return true;
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}
