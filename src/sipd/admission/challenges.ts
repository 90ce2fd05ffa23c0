import type { SipRequest, SipResponse } from '../../sip/index.ts';

/** Whoever answers a challenge does so within the time of a transaction. */
const answeredWithinMs = 32_000;
/** The oldest are forgotten for new ones: their calls count as new then. */
const mostRemembered = 20_000;

/**
 * The challenges that an app has made and nobody has answered. Whoever answers one has cost half of the work of a call
 * already; a header that only looks like an answer has not.
 */
export class Challenges {
  /** When each was made, the oldest first. */
  readonly #madeAtMs = new Map<string, number>();

  get count(): number {
    return this.#madeAtMs.size;
  }

  made({ headers }: SipResponse, nowMs: number): void {
    for (const [nonce, atMs] of this.#madeAtMs) {
      if (nowMs - atMs < answeredWithinMs && this.#madeAtMs.size < mostRemembered) break;
      this.#madeAtMs.delete(nonce);
    }
    const nonce = nonceIn(headers.get('WWW-Authenticate') ?? headers.get('Proxy-Authenticate'));
    // A copy: a part of a string keeps all of it, and that is the message.
    if (nonce !== undefined) this.#madeAtMs.set(Buffer.from(nonce).toString(), nowMs);
  }

  /** Whether the request answers one of them; each is answered once. */
  isAnsweredBy({ headers }: SipRequest, nowMs: number): boolean {
    const nonce = nonceIn(headers.get('Authorization') ?? headers.get('Proxy-Authorization'));
    const atMs = nonce === undefined ? undefined : this.#madeAtMs.get(nonce);
    if (nonce === undefined || atMs === undefined) return false;
    this.#madeAtMs.delete(nonce);
    return nowMs - atMs < answeredWithinMs;
  }
}

function nonceIn(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /[ ,]nonce="([^"]{1,256})"/i.exec(header)?.[1];
}
