/** INVITEs that nobody has answered yet, by where they came from. */
export class HalfOpenCalls {
  readonly #bySource = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  of(host: string): number {
    return this.#bySource.get(host) ?? 0;
  }

  /** Returns the way to say that it is answered, once. */
  add(host: string): () => void {
    this.#total++;
    this.#bySource.set(host, this.of(host) + 1);
    return () => {
      this.#total--;
      const left = this.of(host) - 1;
      if (left > 0) this.#bySource.set(host, left);
      else this.#bySource.delete(host);
    };
  }
}
