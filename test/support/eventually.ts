/** Looks again each turn until there is something. Rejects after 10 s, naming what was waited for. */
export async function eventually<T>(look: () => T | undefined | false, what: string): Promise<T> {
  const giveUpAt = Date.now() + 10_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > giveUpAt) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}
