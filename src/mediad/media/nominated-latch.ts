/**
 * Where the sound of a leg with ICE comes from and goes to: the source that the other side has nominated by a check that
 * knows our password, and no other (RFC 8445 8.1.2). It moves with the next such check; nothing else moves it.
 */
import { IceLite } from '../ice/ice-lite.ts';
import type { IceSession } from '../ice/session.ts';
import type { SourceLatch } from './latch.ts';
import type { Endpoint } from './messages.ts';

export class NominatedLatch implements SourceLatch {
  readonly #ice: IceLite;
  #nominated: Endpoint | undefined;

  constructor(session: IceSession) {
    this.#ice = new IceLite(session);
  }

  /** The sound stays where it is until the first nomination of the new one. */
  restart(session: IceSession): void {
    this.#ice.restart(session);
  }

  /** The response to a check, for its source. undefined: nothing is answered. */
  check(datagram: Buffer, { address, port }: Endpoint): Buffer | undefined {
    const { response, isNominated } = this.#ice.answer(datagram, { address, port });
    if (isNominated) this.#nominated = { address, port };
    return response;
  }

  couldAccept(source: Endpoint): boolean {
    return this.accept(source);
  }

  accept({ address, port }: Endpoint): boolean {
    return this.#nominated?.address === address && this.#nominated.port === port;
  }

  get target(): Endpoint | undefined {
    return this.#nominated;
  }

  describe(): string {
    return `ice(${this.#nominated === undefined ? 'waiting' : 'nominated'})`;
  }
}
