import type { Cipher } from './media-cipher.ts';
import type { MediaEndpoint } from './media-endpoint.ts';

/** While a party rings: an endpoint for each way in which its phones protect their sound. Whoever answers takes one of them. */
export class OfferedEndpoints {
  readonly #endpoints = new Map<Cipher, MediaEndpoint>();
  #isClosed = false;

  /** What is offered to whom. Rejects when one cannot be made; closed meanwhile, it ends with what there is. */
  async make(
    ciphers: readonly Cipher[],
    endpointFor: (cipher: Cipher) => Promise<MediaEndpoint>,
  ): Promise<ReadonlyMap<Cipher, string>> {
    const offers = new Map<Cipher, string>();
    for (const cipher of ciphers) {
      if (this.#isClosed) break;
      const endpoint = await endpointFor(cipher);
      this.#endpoints.set(cipher, endpoint);
      offers.set(cipher, endpoint.sdp);
      if (this.#isClosed) this.close();
    }
    return offers;
  }

  /** Its media server dropped it. */
  lost(cipher: Cipher): void {
    this.#endpoints.delete(cipher);
  }

  /** null: it was lost. All others are closed. */
  take(cipher: Cipher): MediaEndpoint | null {
    const taken = this.#endpoints.get(cipher) ?? null;
    this.#endpoints.delete(cipher);
    this.close();
    return taken;
  }

  close(): void {
    this.#isClosed = true;
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.#endpoints.clear();
  }
}
