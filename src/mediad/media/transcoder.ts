/** From the packets of one codec to those of another, at the pace at which they come: it adds no delay but that of a loss (60 ms at most). */
import type { AudioDecoder, Codec } from './codec/codec-types.ts';
import { openDecoder } from './codec/codec.ts';
import { Packetizer } from './packetizer.ts';
import { Resampler } from './codec/resample.ts';
import { ReorderBuffer } from './reorder.ts';
import { sequenceStep, timestampStep, type RtpPacket } from './rtp-packet.ts';

/** Losses in a row that are filled in. */
const MAX_CONCEALED = 5;

export interface Transcoded {
  readonly payload: Buffer;
  /** The first one after a pause (RFC 3551 4.1). */
  readonly marker: boolean;
  readonly ssrc: number;
  readonly sequence: number;
  /** In the clock of the other codec. */
  readonly timestamp: number;
}

export class Transcoder {
  readonly from: Codec;
  readonly #decoder: AudioDecoder;
  readonly #resampler: Resampler;
  readonly #packetizer: Packetizer;
  readonly #reorder: ReorderBuffer;
  readonly #to: Codec;
  #last: { ssrc: number; sequence: number; timestamp: number; samples: number } | undefined;
  #sequence = 0;
  #timestamp = 0;
  #ssrc = 0;
  #isNewTalk = true;
  #concealed = 0;

  constructor(from: Codec, to: Codec, send: (frame: Transcoded) => void) {
    this.from = from;
    this.#decoder = openDecoder(from);
    this.#resampler = new Resampler(from.rate, to.rate);
    this.#to = to;
    this.#packetizer = new Packetizer(to, ({ payload, behind }) => {
      const timestamp = (this.#timestamp - behind) >>> 0;
      send({ payload, marker: this.#isNewTalk, ssrc: this.#ssrc, sequence: this.#sequence, timestamp });
      this.#isNewTalk = false;
      this.#sequence = (this.#sequence + 1) & 0xffff;
    });
    this.#reorder = new ReorderBuffer((packet) => this.#take(packet), from.clockRate);
  }

  /** Lost packets that were filled in for. */
  get concealed(): number {
    return this.#concealed;
  }

  /** A packet without a payload keeps the count (digits). The payload is kept and not changed. */
  push(packet: RtpPacket): void {
    this.#reorder.push(packet);
  }

  describe(): string {
    return `${this.#reorder.describe()} -> decode(${this.from.name})`;
  }

  close(): void {
    this.#decoder.close();
    this.#packetizer.close();
  }

  #take(packet: RtpPacket): void {
    if (packet.payload.length === 0) {
      if (this.#last !== undefined) this.#last.sequence = packet.sequence;
      return;
    }
    const last = this.#last?.ssrc === packet.ssrc ? this.#last : undefined;
    if (last !== undefined) this.#bridgeGap(last, packet);
    else this.#beginAnew();
    this.#ssrc = packet.ssrc;
    const samples = this.#decoder.decode(packet.payload);
    const { ssrc, sequence, timestamp } = packet;
    this.#last = { ssrc, sequence, timestamp, samples: samples.length };
    this.#write(samples);
  }

  /** Fills in for lost packets; a pause of the speaker stays a pause. */
  #bridgeGap(last: { sequence: number; timestamp: number; samples: number }, packet: RtpPacket): void {
    const { rate, clockRate } = this.from;
    const due = Math.round((timestampStep(last.timestamp, packet.timestamp) * rate) / clockRate) - last.samples;
    if (due <= 0) return;
    const lost = sequenceStep(last.sequence, packet.sequence) - 1;
    if (lost > 0 && lost <= MAX_CONCEALED && due <= last.samples * MAX_CONCEALED) {
      this.#concealed += lost;
      return this.#write(this.#decoder.conceal(due));
    }
    this.#beginAnew();
    this.#timestamp = (this.#timestamp + Math.round((due * this.#to.clockRate) / rate)) >>> 0;
  }

  #beginAnew(): void {
    this.#packetizer.reset();
    this.#isNewTalk = true;
  }

  #write(samples: Int16Array): void {
    const resampled = this.#resampler.process(samples);
    this.#packetizer.push(resampled);
    this.#timestamp = (this.#timestamp + (resampled.length * this.#to.clockRate) / this.#to.rate) >>> 0;
  }
}
