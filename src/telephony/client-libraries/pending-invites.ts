/** An INVITE that came in, and our answer, as the library keeps them until there is a final one. */
export interface PendingInvite {
  readonly req: {
    get(name: string): string | undefined;
    emit(event: string, message: Message, ...more: unknown[]): boolean;
    listenerCount(event: string): number;
  };
  readonly res: { readonly statusCode?: number };
}

interface Message {
  get(name: string): string | undefined;
}

/**
 * What drachtio-srf 5.0.29 keeps by Call-ID alone: of two callers with the same one, which nobody should have and some do, the
 * CANCEL of the first took away the call of the second. Here each CANCEL and UPDATE goes to the INVITE whose From has its tag.
 */
export class PendingInvites {
  /** By Call-ID, oldest first; none is empty. */
  readonly #byCallId = new Map<string, readonly PendingInvite[]>();
  #isTaken = false;

  get size(): number {
    return this.#byCallId.size;
  }

  has(callId: string): boolean {
    return this.#byCallId.has(callId);
  }

  set(callId: string, invite: PendingInvite): void {
    this.#keep(callId, [...this.#of(callId), invite]);
  }

  /** Stands for whichever is meant by what is emitted. */
  get(callId: string): PendingInvite | undefined {
    const newest = this.#of(callId).at(-1);
    if (newest === undefined) return undefined;
    const { req, res } = newest;
    const emit = (event: string, message: Message, ...more: unknown[]): boolean => {
      const meant = this.#of(callId).find((one) => tagOf(one.req) === tagOf(message));
      const isHeard = meant?.req.emit(event, message, ...more) ?? false;
      if (event !== 'cancel') return isHeard;
      const left = this.#of(callId).filter((one) => one !== meant);
      this.#keep(callId, left);
      this.#isTaken = true;
      return isHeard;
    };
    return { req: { get: (name) => req.get(name), emit, listenerCount: (event) => req.listenerCount(event) }, res };
  }

  /** The library says so after a CANCEL, and when one with that Call-ID has its final answer: the others stay. */
  delete(callId: string): void {
    if (this.#isTaken) this.#isTaken = false;
    else
      this.#keep(
        callId,
        this.#of(callId).filter(({ res }) => (res.statusCode ?? 0) < 200),
      );
  }

  #of(callId: string): readonly PendingInvite[] {
    return this.#byCallId.get(callId) ?? [];
  }

  #keep(callId: string, left: readonly PendingInvite[]): void {
    if (left.length === 0) this.#byCallId.delete(callId);
    else this.#byCallId.set(callId, left);
  }
}

function tagOf(message: Message): string | undefined {
  return /;\s*tag\s*=\s*([^;>\s]+)/i.exec(message.get('From') ?? '')?.[1];
}
