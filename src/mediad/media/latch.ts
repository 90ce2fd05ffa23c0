/**
 * Symmetric RTP without RTP bleed: packets from exactly the signalled address and port are the right ones, whenever they come, for good. Where none
 * come, the first other source that may be the phone is taken after 200 ms, once: behind a NAT it is not where it says it is.
 *
 *   waiting --allowed host------> choosing --200 ms--> taken
 *   any of them --signalled source--> latched
 *
 * Another port of the signalled host itself is not heard while it is chosen: it may be another phone there, whose sound was meant for the leg that
 * had our port before. What comes from another allowed host is heard at once, for there a NAT is certain.
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
  | { readonly name: 'taken' | 'latched'; readonly source: Endpoint };

export class Latch implements SourceLatch {
  readonly #signalled: Endpoint;
  readonly #hosts: readonly string[];
  readonly #latched: (source: Endpoint) => void;
  #state: State = { name: 'waiting' };

  /** `latched`: nothing else will be accepted any more. */
  constructor(signalled: Endpoint, alsoFrom: readonly string[], latched: (source: Endpoint) => void) {
    this.#signalled = signalled;
    this.#hosts = [signalled.address, ...alsoFrom];
    this.#latched = latched;
  }

  couldAccept(source: Endpoint): boolean {
    if (isSame(source, this.#signalled)) return true;
    return 'source' in this.#state ? isSame(this.#state.source, source) : this.#hosts.includes(source.address);
  }

  accept(source: Endpoint, nowMs: number): boolean {
    const state = this.#state;
    // Forged: nobody can be reached there, and sending there throws.
    if (source.port === 0) return false;
    if (isSame(source, this.#signalled)) {
      if (state.name !== 'latched') this.#latch(source);
      return true;
    }
    if ('source' in state) return isSame(state.source, source);
    if (!this.#hosts.includes(source.address)) return false;
    if (state.name === 'waiting') {
      this.#state = { name: 'choosing', candidate: copyOf(source), sinceMs: nowMs };
      return this.#isHeardAtOnce(source);
    }
    if (!isSame(source, state.candidate)) return false;
    if (nowMs - state.sinceMs < CHOOSING_MS) return this.#isHeardAtOnce(source);
    this.#state = { name: 'taken', source: state.candidate };
    return true;
  }

  get target(): Endpoint {
    const state = this.#state;
    if ('source' in state) return state.source;
    return state.name === 'choosing' && this.#isHeardAtOnce(state.candidate) ? state.candidate : this.#signalled;
  }

  describe(): string {
    return `latch(${this.#state.name})`;
  }

  #isHeardAtOnce(candidate: Endpoint): boolean {
    return candidate.address !== this.#signalled.address;
  }

  #latch(source: Endpoint): void {
    const kept = copyOf(source);
    this.#state = { name: 'latched', source: kept };
    this.#latched(kept);
  }
}

/** What Node hands over has more in it. */
function copyOf({ address, port }: Endpoint): Endpoint {
  return { address, port };
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}
