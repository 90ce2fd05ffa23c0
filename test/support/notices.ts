/** What a part has told, one at a time; whoever waits gets the next, whenever it comes. */
export class Notices {
  readonly #got: string[] = [];
  #wake: (() => void) | null = null;

  add(notice: string): void {
    this.#got.push(notice);
    this.#wake?.();
  }

  /** The next notice, whenever it comes; the test's own time-out bounds the wait. */
  async next(): Promise<string> {
    while (this.#got.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#got.shift()!;
  }

  get waiting(): readonly string[] {
    return this.#got;
  }
}
