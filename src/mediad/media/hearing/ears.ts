/** Everything that is listened for on one leg. Without a wish nothing is decoded. */
import type { Codec } from '../codec/codec-types.ts';
import { FRAME_MS } from '../codec/g711.ts';
import { Resampler } from '../codec/resample.ts';
import { JitterBuffer } from '../jitter-buffer.ts';
import type { RtpPacket } from '../rtp-packet.ts';
import { DETECTOR_RATE, type Detector, type HeardSound, type ListenWish } from './detector.ts';
import { DtmfDetector } from './dtmf.ts';
import { AnswerDetector, LevelDetector } from './loudness.ts';
import { ProgressDetector, ToneDetector } from './tones.ts';

export class Ears {
  readonly #detectors = new Map<number, { readonly detector: Detector; readonly heard: (sound: HeardSound) => void }>();
  #jitter: JitterBuffer | undefined;
  #resampler: Resampler | undefined;
  #codec: Codec | undefined;

  listen(id: number, wish: ListenWish, codec: Codec, heard: (sound: HeardSound) => void): void {
    this.#detectors.set(id, { detector: detectorFor(wish), heard });
    if (this.#jitter === undefined) this.codecChanged(codec);
  }

  stop(id: number): void {
    this.#detectors.delete(id);
    if (this.#detectors.size === 0) this.close();
  }

  /** In the order in which they come. The payload is kept and not changed. */
  push(packet: RtpPacket, nowMs: number): void {
    this.#jitter?.push(packet, nowMs);
  }

  /** Once per 20 ms. */
  tick(): void {
    if (this.#jitter === undefined || this.#codec === undefined) return;
    const samples = new Int16Array((this.#codec.rate / 1000) * FRAME_MS);
    this.#jitter.pull(samples);
    const frame = this.#resampler!.process(samples);
    for (const { detector, heard } of this.#detectors.values()) {
      const sound = detector.push(frame);
      if (sound !== undefined) heard(sound);
    }
  }

  codecChanged(codec: Codec): void {
    if (this.#detectors.size === 0) return;
    this.#jitter?.close();
    this.#codec = codec;
    this.#jitter = new JitterBuffer(codec);
    this.#resampler = new Resampler(codec.rate, DETECTOR_RATE);
  }

  describe(): readonly string[] {
    return this.#detectors.size === 0 ? [] : [`listen(${this.#detectors.size})`];
  }

  /** May be called twice. */
  close(): void {
    this.#detectors.clear();
    this.#jitter?.close();
    this.#jitter = undefined;
  }
}

function detectorFor(wish: ListenWish): Detector {
  switch (wish.kind) {
    case 'dtmf':
      return new DtmfDetector();
    case 'tone':
      return new ToneDetector(wish.name, wish.frequenciesHz, wish.hits);
    case 'progress':
      return new ProgressDetector();
    case 'level':
      return new LevelDetector(wish);
    case 'answer':
      return new AnswerDetector();
  }
}
