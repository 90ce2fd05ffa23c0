/** What was opened, in order; closed the other way round. */
export class Closing {
  readonly #open: { readonly part: string; readonly close: () => unknown; readonly withinMs: number }[] = [];
  #closed: Promise<readonly string[]> | null = null;

  /** `withinMs`: a part that takes longer is left behind, so that what lies below it is closed all the same. */
  add(part: string, close: () => unknown, withinMs = 3_000): void {
    this.#open.push({ part, close, withinMs });
  }

  /** May be called twice. Resolves with what did not close in good order, and why; never rejects. */
  close(): Promise<readonly string[]> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<readonly string[]> {
    const troubles: string[] = [];
    for (const { part, close, withinMs } of this.#open.toReversed()) {
      const trouble = await within(withinMs, close);
      if (trouble !== null) troubles.push(`${part}: ${trouble}`);
    }
    return troubles;
  }
}

async function within(ms: number, work: () => unknown): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not closed after ${ms} ms`), ms);
  });
  try {
    return await Promise.race([(async () => work())().then(() => null), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
