/** Samples in, as they come; packets of the agreed length out. */
import type { AudioEncoder, Codec } from './codec/codec-types.ts';
import { openEncoder } from './codec/codec.ts';

export interface SentPacket {
  readonly payload: Buffer;
  /** How far its first sample lies before the first of those that were pushed last, in units of the RTP clock. */
  readonly behind: number;
}

export class Packetizer {
  readonly #codec: Codec;
  readonly #encoder: AudioEncoder;
  readonly #packet: Int16Array;
  readonly #send: (packet: SentPacket) => void;
  #filled = 0;

  constructor(codec: Codec, send: (packet: SentPacket) => void) {
    this.#codec = codec;
    this.#encoder = openEncoder(codec);
    this.#packet = new Int16Array((codec.rate / 1000) * codec.ptimeMs);
    this.#send = send;
  }

  /** At the codec's rate. */
  push(samples: Int16Array): void {
    let behind = this.#filled;
    for (let at = 0; at < samples.length; ) {
      const count = Math.min(samples.length - at, this.#packet.length - this.#filled);
      this.#packet.set(samples.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < this.#packet.length) return;
      this.#filled = 0;
      const payload = this.#encoder.encode(this.#packet);
      const { clockRate, rate } = this.#codec;
      if (payload.length > 0) this.#send({ payload, behind: (behind * clockRate) / rate });
      behind -= this.#packet.length;
    }
  }

  /** Forgets what does not fill a packet: something else comes now. */
  reset(): void {
    this.#filled = 0;
  }

  close(): void {
    this.#encoder.close();
  }
}
