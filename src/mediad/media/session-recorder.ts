/** A whole conversation as one leg has it: what it says and what it hears, mixed or side by side, with each tick 20 ms of both. */
import type { AudioSink, RecordResult } from './recorder.ts';
import type { Codec } from './codec/codec-types.ts';
import { isG711 } from './codec/codec.ts';
import { encodeG711, FRAME_SAMPLES, SILENCE } from './codec/g711.ts';
import { Resampler } from './codec/resample.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import type { RecordEnding, SessionWays } from './messages.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** What the leg's phone said, or what we said to it. */
export type Side = 'heard' | 'said';

const TICKS_A_SECOND = 50;

export class SessionRecorder {
  readonly #sink: AudioSink;
  readonly #ways: SessionWays;
  readonly #maxTicks: number;
  readonly #ended: (result: RecordResult) => void;
  readonly #sides: Readonly<Record<Side, Ear>> = { heard: new Ear(), said: new Ear() };
  #ticks = 0;
  #isMasked = false;
  #isEnded = false;

  /** `ended` is called exactly once, after the container is complete. */
  constructor(options: {
    readonly sink: AudioSink;
    readonly ways: SessionWays;
    readonly maxMs: number;
    readonly ended: (result: RecordResult) => void;
  }) {
    this.#sink = options.sink;
    this.#ways = options.ways;
    this.#maxTicks = (options.maxMs / 1000) * TICKS_A_SECOND;
    this.#ended = options.ended;
  }

  /** The payload is copied. */
  push(side: Side, codec: Codec, packet: RtpPacket, nowMs: number): void {
    if (!this.#isEnded) this.#sides[side].push(codec, { ...packet, payload: Buffer.from(packet.payload) }, nowMs);
  }

  tick(): void {
    if (this.#isEnded) return;
    const heard = this.#sides.heard.pull();
    const said = this.#sides.said.pull();
    this.#sink.push(this.#isMasked ? this.#nothing() : this.#join(heard, said));
    this.#ticks += 1;
    if (this.#ticks >= this.#maxTicks) this.close('timeLimit');
  }

  /** Masked is recorded as silence: a card number is said. */
  mask(isMasked: boolean): void {
    this.#isMasked = isMasked;
  }

  /** The first ending counts. */
  close(ending: RecordEnding, reason = ''): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const ear of Object.values(this.#sides)) ear.close();
    const samples = this.#ticks * FRAME_SAMPLES;
    this.#sink.close().then(
      () => this.#ended({ ending, samples, reason }),
      (error: unknown) =>
        this.#ended({ ending: 'failed', samples, reason: error instanceof Error ? error.message : String(error) }),
    );
  }

  describe(): string {
    return `record(session ${this.#ways}) -> seal`;
  }

  #nothing(): Uint8Array {
    return new Uint8Array(FRAME_SAMPLES * channelsOf(this.#ways)).fill(SILENCE.PCMU);
  }

  #join(heard: Int16Array, said: Int16Array): Uint8Array {
    const joined = new Int16Array(FRAME_SAMPLES * channelsOf(this.#ways));
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      switch (this.#ways) {
        case 'mixed':
          joined[i] = clip(heard[i]! + said[i]!);
          break;
        case 'heard':
          joined[i] = heard[i]!;
          break;
        case 'said':
          joined[i] = said[i]!;
          break;
        case 'stereo':
          joined[2 * i] = heard[i]!;
          joined[2 * i + 1] = said[i]!;
          break;
        case 'stereoSwapped':
          joined[2 * i] = said[i]!;
          joined[2 * i + 1] = heard[i]!;
          break;
      }
    }
    const bytes = Buffer.allocUnsafe(joined.length);
    encodeG711('PCMU', joined, bytes);
    return bytes;
  }
}

export function channelsOf(ways: SessionWays): 1 | 2 {
  return ways === 'stereo' || ways === 'stereoSwapped' ? 2 : 1;
}

/** One side's packets as a steady stream at 8 kHz. */
class Ear {
  #codec: Codec | undefined;
  #jitter: JitterBuffer | undefined;
  #resampler: Resampler | undefined;

  push(codec: Codec, packet: RtpPacket, nowMs: number): void {
    const isSameCodec = this.#codec !== undefined && codec.name === this.#codec.name && codec.rate === this.#codec.rate;
    if (!isSameCodec) {
      this.close();
      this.#codec = codec;
      this.#jitter = new JitterBuffer(codec);
      this.#resampler = new Resampler(codec.rate, 8000);
    }
    this.#jitter?.push(packet, nowMs);
  }

  pull(): Int16Array {
    if (this.#codec === undefined || this.#resampler === undefined) return QUIET;
    const frame = new Int16Array(isG711(this.#codec.name) ? FRAME_SAMPLES : this.#codec.rate / TICKS_A_SECOND);
    this.#jitter?.pull(frame);
    return this.#resampler.process(frame);
  }

  close(): void {
    this.#jitter?.close();
  }
}

const QUIET = new Int16Array(FRAME_SAMPLES);

function clip(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
}
