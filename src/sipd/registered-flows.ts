import { type Clock, type Flow, parseNameAddr, parseUri, type SipRequest, type SipResponse } from '../sip/index.ts';

/** Which open connection a registered phone came over: it cannot be dialled, its Contact is behind a connection. */
export class RegisteredFlows {
  readonly #clock: Clock;
  readonly #flows = new Map<string, { readonly flow: Flow; readonly untilMs: number }>();
  /** The contacts behind each connection. */
  readonly #keysOf = new Map<Flow, Set<string>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** Remembers the contacts of a REGISTER or SUBSCRIBE that was accepted, if it came over a connection. */
  learn(register: SipRequest, answer: SipResponse, source: Flow): void {
    if (source.protocol === 'udp') return;
    this.#forgetExpired(source);
    const offered = register.headers.get('Expires') ?? answer.headers.get('Expires') ?? '3600';
    for (const value of register.headers.list('Contact')) {
      const contact = parseNameAddr(value);
      const key = contact === undefined ? undefined : contactKey(contact.uri);
      if (contact === undefined || key === undefined) continue;
      this.#forget(key);
      const expiresSeconds = Number.parseInt(contact.params.get('expires') ?? offered, 10);
      if (expiresSeconds > 0) this.#remember(key, source, this.#clock.now() + expiresSeconds * 1_000);
    }
  }

  /** The connection a request to `uri` should use, if there is one. */
  find(uri: string): Flow | undefined {
    const key = contactKey(uri);
    const found = key === undefined ? undefined : this.#flows.get(key);
    return found !== undefined && found.flow.isOpen && found.untilMs > this.#clock.now() ? found.flow : undefined;
  }

  #remember(key: string, flow: Flow, untilMs: number): void {
    this.#flows.set(key, { flow, untilMs });
    const keys = this.#keysOf.get(flow);
    if (keys !== undefined) return void keys.add(key);
    this.#keysOf.set(flow, new Set([key]));
    flow.onLost(() => {
      for (const lost of this.#keysOf.get(flow) ?? []) this.#forget(lost);
      this.#keysOf.delete(flow);
    });
  }

  /** The set of a connection stays until the connection is lost, for one listener is enough. */
  #forget(key: string): void {
    const flow = this.#flows.get(key)?.flow;
    this.#flows.delete(key);
    if (flow !== undefined) this.#keysOf.get(flow)?.delete(key);
  }

  #forgetExpired(flow: Flow): void {
    const now = this.#clock.now();
    for (const key of this.#keysOf.get(flow) ?? []) {
      if ((this.#flows.get(key)?.untilMs ?? 0) <= now) this.#forget(key);
    }
  }
}

// Two phones behind one address differ in the port, so the port belongs to the key.
function contactKey(uri: string): string | undefined {
  const parsed = parseUri(uri);
  return parsed === undefined ? undefined : `${parsed.user ?? ''}@${parsed.host.toLowerCase()}:${parsed.port ?? ''}`;
}
