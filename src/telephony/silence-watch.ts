import type { Clock } from '../engine/ports.ts';

export interface SilenceWatchParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly everyMs: number;
  /** The body of the media server's answer; rejects when none comes. */
  readonly api: (command: string) => Promise<string>;
  /** Nothing has come from the phone since the last look. Told again at each look while that lasts. */
  readonly silent: () => void;
}

/**
 * FreeSWITCH 1.10.12 does not tell when a phone falls silent, it can only hang up: so the packets of a leg are counted now and
 * then. A count that cannot be had says nothing.
 */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  readonly #uuid: string;
  #timer: { cancel(): void };
  #packets: number | null = null;
  #isClosed = false;

  constructor(uuid: string, parts: SilenceWatchParts) {
    this.#uuid = uuid;
    this.#parts = parts;
    this.#timer = this.#wait();
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#timer.cancel();
  }

  #wait(): { cancel(): void } {
    return this.#parts.clock.after(this.#parts.everyMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const packets = await this.#count();
    if (this.#isClosed) return;
    if (packets !== null && packets === this.#packets) this.#parts.silent();
    this.#packets = packets;
    if (!this.#isClosed) this.#timer = this.#wait();
  }

  async #count(): Promise<number | null> {
    try {
      await this.#parts.api(`uuid_set_media_stats ${this.#uuid}`);
      const text = await this.#parts.api(`uuid_getvar ${this.#uuid} rtp_audio_in_packet_count`);
      return /^\d+$/.test(text.trim()) ? Number(text) : null;
    } catch {
      return null;
    }
  }
}
