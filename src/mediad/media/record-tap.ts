/** What a leg says, on its way to a recorder: in order, and in G.711 whatever the phone speaks, as a message is kept. */
import type { AudioDecoder, Codec } from './codec/codec-types.ts';
import { isG711, openDecoder } from './codec/codec.ts';
import { encodeG711 } from './codec/g711.ts';
import { Resampler } from './codec/resample.ts';
import type { Recorder } from './recorder.ts';
import { ReorderBuffer } from './reorder.ts';
import { timestampStep, type RtpPacket } from './rtp-packet.ts';

export class RecordTap {
  readonly recorder: Recorder;
  readonly #codec: Codec;
  readonly #reorder: ReorderBuffer;
  readonly #decoder: AudioDecoder | undefined;
  readonly #resampler: Resampler;
  #nowMs = 0;
  /** Where the stream is, in its own clock and at 8 kHz. */
  #last: number | undefined;
  #at = 0;

  constructor(recorder: Recorder, codec: Codec) {
    this.recorder = recorder;
    this.#codec = codec;
    this.#decoder = isG711(codec.name) ? undefined : openDecoder(codec);
    this.#resampler = new Resampler(codec.rate, 8000);
    this.#reorder = new ReorderBuffer((packet) => this.#write(packet), codec.clockRate);
  }

  /** A packet without a payload keeps the order (digits). The payload is kept and not changed. */
  push(packet: RtpPacket, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#reorder.push(packet);
  }

  /** The recorder goes on. */
  close(): void {
    this.#reorder.close();
    this.#decoder?.close();
  }

  describe(): string {
    return `${this.#reorder.describe()} -> ${this.recorder.describe()}`;
  }

  #write({ timestamp, payload }: RtpPacket): void {
    if (payload.length === 0) return;
    const { name, clockRate } = this.#codec;
    if (isG711(name)) return this.recorder.push({ timestamp, payload, law: name }, this.#nowMs);
    const step = this.#last === undefined ? 0 : timestampStep(this.#last, timestamp);
    this.#last = timestamp;
    this.#at += Math.round((step * 8000) / clockRate);
    const samples = this.#resampler.process(this.#decoder!.decode(payload));
    const bytes = Buffer.allocUnsafe(samples.length);
    encodeG711('PCMU', samples, bytes);
    this.recorder.push({ timestamp: this.#at >>> 0, payload: bytes, law: 'PCMU' }, this.#nowMs);
  }
}
