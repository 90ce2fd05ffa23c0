/** Which packet indices of one stream have been seen, RFC 3711 sections 3.3.1 and 3.3.2. */
const WINDOW = 128;

export class IndexWindow {
  /** -1: none yet. */
  #highest = -1;
  readonly #seen = new Uint8Array(WINDOW);

  /** Index of the packet with this 16-bit number: the one closest to what came last. Negative: there is no such packet. */
  indexOf(sequence: number): number {
    if (this.#highest < 0) return sequence;
    const rollover = Math.floor(this.#highest / 0x1_0000);
    const last = this.#highest & 0xffff;
    if (last < 0x8000) return (sequence - last > 0x8000 ? rollover - 1 : rollover) * 0x1_0000 + sequence;
    return (last - 0x8000 > sequence ? rollover + 1 : rollover) * 0x1_0000 + sequence;
  }

  /** False: seen already, or so old that nobody can tell. */
  isNew(index: number): boolean {
    if (index < 0) return false;
    if (index > this.#highest) return true;
    return index > this.#highest - WINDOW && this.#seen[index % WINDOW] === 0;
  }

  /** Only for an index that is new and whose packet is authentic. */
  saw(index: number): void {
    const skipped = index - this.#highest;
    if (skipped >= WINDOW) this.#seen.fill(0);
    else for (let at = this.#highest + 1; at < index; at++) this.#seen[at % WINDOW] = 0;
    this.#seen[index % WINDOW] = 1;
    if (index > this.#highest) this.#highest = index;
  }
}
