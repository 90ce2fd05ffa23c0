/** Something that can be heard: 8 kHz linear audio, pulled frame by frame. */
export interface AudioSource {
  /** Fills the frame from its start; returns the samples written, fewer than its length only at the end. */
  next(frame: Int16Array): number;
  describe(): string;
}

export class SilenceSource implements AudioSource {
  #left: number;

  /** Infinity for endless silence. */
  constructor(durationMs: number) {
    this.#left = durationMs * 8;
  }

  next(frame: Int16Array): number {
    const count = Math.min(frame.length, this.#left);
    frame.fill(0, 0, count);
    this.#left -= count;
    return count;
  }

  describe(): string {
    return 'silence';
  }
}
