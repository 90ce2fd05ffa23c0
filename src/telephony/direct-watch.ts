import type { Clock } from '../engine/ports.ts';
import type { PhoneDialog } from './phone-dialog.ts';

export interface Watched {
  readonly phone: Pick<PhoneDialog, 'probe'>;
  /** It does not answer any more. */
  lost(): void;
}

/** A phone that misses one answer may be busy with its own network. */
const missesAllowed = 1;

/**
 * Phones that talk directly send us no sound, so that a cable that is pulled shows nowhere: both are asked now and
 * then whether they still know the call.
 */
export class DirectWatch {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #watched: readonly { readonly one: Watched; misses: number }[];
  #timer: { cancel(): void } | null = null;
  #isClosed = false;

  constructor(clock: Clock, everyMs: number, watched: readonly Watched[]) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#watched = watched.map((one) => ({ one, misses: 0 }));
    this.#wait();
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.after(this.#everyMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const lives = await Promise.all(this.#watched.map(({ one }) => one.phone.probe()));
    if (this.#isClosed) return;
    for (const [at, entry] of this.#watched.entries()) {
      const life = lives[at];
      if (life === 'over') return this.close();
      entry.misses = life === 'alive' ? 0 : entry.misses + 1;
      // A server that has forgotten the dialog has told so itself.
      if (life !== 'dead' && entry.misses <= missesAllowed) continue;
      this.close();
      return entry.one.lost();
    }
    this.#wait();
  }
}
