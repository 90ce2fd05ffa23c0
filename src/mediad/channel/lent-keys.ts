import { randomBytes } from 'node:crypto';

/** A sealed recording that one leg may play once. */
export interface Lent {
  readonly path: string;
  readonly key: Uint8Array;
}

const FOR_MS = 30_000;
const MAX_LENT = 2_000;

/**
 * Keys of recordings that the application has lent for playing: each to one channel, for one time, and not for long.
 * They are kept here and not in the channel's variables, which every listener of events can read.
 */
export class LentKeys {
  readonly #lent = new Map<string, Lent & { readonly channel: string; readonly timer: NodeJS.Timeout }>();

  /** The word by which it is played: "sealed://<word>". undefined when too many are lent already. */
  lend(channel: string, lent: Lent): string | undefined {
    if (this.#lent.size >= MAX_LENT) return undefined;
    const word = randomBytes(16).toString('hex');
    const timer = setTimeout(() => this.#forget(word), FOR_MS);
    timer.unref();
    this.#lent.set(word, { ...lent, channel, timer });
    return word;
  }

  /** undefined when it was never lent to this channel, was taken before, or came too late. */
  take(channel: string, word: string): Lent | undefined {
    const lent = this.#lent.get(word);
    if (lent?.channel !== channel) return undefined;
    clearTimeout(lent.timer);
    this.#lent.delete(word);
    return { path: lent.path, key: lent.key };
  }

  #forget(word: string): void {
    this.#lent.get(word)?.key.fill(0);
    this.#lent.delete(word);
  }
}
