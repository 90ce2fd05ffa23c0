/** Writes what a leg says into a sealed container: in order, gaps filled with silence, in the law in which it came. */
import { levelOf, SILENCE, transcodeG711, type G711 } from './codec/g711.ts';
import type { RecordEnding, RecordLimits } from './messages.ts';
import { timestampStep } from './rtp-packet.ts';

/** The part of SealedWriter that a recorder needs. */
export interface AudioSink {
  push(audio: Uint8Array): void;
  /** How much of it is safe. */
  readonly audioBytes: number;
  close(): Promise<void>;
}

export interface RecordResult {
  readonly ending: RecordEnding;
  /** If it failed: those that are safe. */
  readonly samples: number;
  /** For people; '' unless the ending is `failed`. */
  readonly reason: string;
}

/** A leg that sends nothing for so long (silence suppression, mute) is recorded as silent meanwhile. */
const ABSENT_MS = 1000;
/** How far a sender may run ahead of our clock before its gap is taken for a jump. */
const AHEAD_SAMPLES = 4000;

export class Recorder {
  readonly #sink: AudioSink;
  readonly #law: G711;
  readonly #limits: RecordLimits;
  readonly #ended: (result: RecordResult) => void;
  readonly #startedAtMs: number;
  #lastHeardMs: number;
  #samples = 0;
  #silentSamples = 0;
  #nextTimestamp: number | undefined;
  #isEnded = false;

  constructor(options: {
    sink: AudioSink;
    law: G711;
    limits: RecordLimits;
    nowMs: number;
    /** Called exactly once, after the container is complete. */
    ended: (result: RecordResult) => void;
  }) {
    this.#sink = options.sink;
    this.#law = options.law;
    this.#limits = options.limits;
    this.#ended = options.ended;
    this.#startedAtMs = options.nowMs;
    this.#lastHeardMs = options.nowMs;
  }

  /** `payload` is not kept and not changed. */
  push(frame: { timestamp: number; payload: Uint8Array; law: G711 }, nowMs: number): void {
    if (this.#isEnded) return;
    this.#lastHeardMs = nowMs;
    const gap = this.#nextTimestamp === undefined ? 0 : timestampStep(this.#nextTimestamp, frame.timestamp);
    const room = this.#dueSamples(nowMs) + AHEAD_SAMPLES - this.#samples;
    if (gap > 0 && room > 0) this.#silence(Math.min(gap, room));
    this.#nextTimestamp = (frame.timestamp + frame.payload.length) >>> 0;
    const audio = Uint8Array.from(frame.payload);
    if (frame.law !== this.#law) transcodeG711(frame.law, audio);
    this.#write(audio);
  }

  tick(nowMs: number): void {
    if (this.#isEnded) return;
    if (nowMs - this.#lastHeardMs > ABSENT_MS) {
      const missing = Math.max(0, this.#dueSamples(nowMs - ABSENT_MS) - this.#samples);
      this.#silence(missing);
      if (this.#nextTimestamp !== undefined) this.#nextTimestamp = (this.#nextTimestamp + missing) >>> 0;
    }
    if (nowMs - this.#startedAtMs >= this.#limits.maxMs) this.close('timeLimit');
  }

  /** The first ending counts. */
  close(ending: RecordEnding, reason = ''): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#sink.close().then(
      () => this.#ended({ ending, samples: this.#samples, reason }),
      (error: unknown) =>
        this.#ended({
          ending: 'failed',
          samples: this.#sink.audioBytes,
          reason: error instanceof Error ? error.message : String(error),
        }),
    );
  }

  describe(): string {
    return `record(${this.#law}) -> seal`;
  }

  #dueSamples(nowMs: number): number {
    return Math.max(0, Math.round((nowMs - this.#startedAtMs) * 8));
  }

  #silence(samples: number): void {
    for (let left = samples; left > 0 && !this.#isEnded; left -= 8000) {
      this.#write(new Uint8Array(Math.min(left, 8000)).fill(SILENCE[this.#law]));
    }
  }

  #write(audio: Uint8Array): void {
    if (this.#isEnded) return;
    this.#sink.push(audio);
    this.#samples += audio.length;
    // A sender that is faster than time must not fill the disk.
    if (this.#samples >= this.#limits.maxMs * 8) return this.close('timeLimit');
    if (this.#limits.silenceLevel <= 0) return;
    this.#silentSamples =
      levelOf(this.#law, audio) < this.#limits.silenceLevel ? this.#silentSamples + audio.length : 0;
    if (this.#silentSamples >= this.#limits.silenceMs * 8) this.close('silence');
  }
}
