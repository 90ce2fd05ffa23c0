/**
 * Packets in, as they come; frames of samples out, as time goes by. It waits as long as the packets are uneven and no longer.
 *
 *   filling --enough--> playing --nothing for 60 ms--> filling
 *
 * A clock that runs faster than ours fills it: then a frame is left out. A slower one empties it: then a frame is filled in.
 */
import type { AudioDecoder, Codec } from './codec/codec-types.ts';
import { openDecoder } from './codec/codec.ts';
import { FRAME_MS } from './codec/g711.ts';
import { sequenceStep, type RtpPacket } from './rtp-packet.ts';

/** Shorter ones are not agreed upon; one that is all the same must not make the buffer think that it never has enough. */
const MIN_PACKET_MS = 10;
const MIN_TARGET_MS = 40;
const MAX_TARGET_MS = 200;
/** One second of 20 ms packets. */
const MAX_HELD = 50;
/** A jump this large is a new stream, not a loss. */
const RESTART_STEP = 100;
/** Losses in a row that are filled in; after more, what comes next is simply next. */
const MAX_CONCEALED = 5;
const DRY_FRAMES = 3;
/** How many frames it is watched before one is left out. */
const WATCHED_FRAMES = 50;

export interface JitterCounters {
  late: number;
  concealed: number;
  leftOut: number;
}

export class JitterBuffer {
  readonly counters: JitterCounters = { late: 0, concealed: 0, leftOut: 0 };
  readonly #codec: Codec;
  readonly #decoder: AudioDecoder;
  readonly #held: RtpPacket[] = [];
  readonly #samples: Int16Array;
  #filled = 0;
  #expected: number | undefined;
  #ssrc: number | undefined;
  #isPlaying = false;
  #packetMs = FRAME_MS;
  #jitterMs = 0;
  #lastTransitMs: number | undefined;
  #dryFrames = 0;
  #concealedInARow = 0;
  #watched = 0;
  #leastMs = Infinity;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#decoder = openDecoder(codec);
    // What a pull leaves behind is less than a packet, and a packet is at most 120 ms.
    this.#samples = new Int16Array((codec.rate / 1000) * 300);
  }

  /** A packet without a payload carries no sound but keeps the count (digits). The payload is kept and not changed. */
  push(packet: RtpPacket, nowMs: number): void {
    if (packet.ssrc !== this.#ssrc) this.#restart(packet);
    const step = this.#expected === undefined ? 0 : sequenceStep(this.#expected, packet.sequence);
    if (Math.abs(step) > RESTART_STEP) this.#restart(packet);
    else if (step < 0) {
      this.counters.late += 1;
      return;
    }
    if (this.#held.some((held) => held.sequence === packet.sequence)) return;
    this.#held.push(packet);
    this.#held.sort((a, b) => sequenceStep(b.sequence, a.sequence));
    if (this.#held.length > MAX_HELD) this.#expected = (this.#held.shift()!.sequence + 1) & 0xffff;
    this.#measure(packet, nowMs);
  }

  /** The next 20 ms, at the codec's rate. False while there is nothing to hear. */
  pull(frame: Int16Array): boolean {
    if (!this.#isPlaying && !this.#begins()) {
      frame.fill(0);
      return false;
    }
    while (this.#filled < frame.length && this.#next()) {
      // Another packet.
    }
    const isDry = this.#filled < frame.length;
    if (isDry) this.#append(this.#conceal(frame.length - this.#filled), frame.length - this.#filled);
    this.#dryFrames = isDry ? this.#dryFrames + 1 : 0;
    if (this.#dryFrames >= DRY_FRAMES) this.#isPlaying = false;
    frame.set(this.#samples.subarray(0, frame.length));
    this.#drop(frame.length);
    this.#watch(frame.length);
    return true;
  }

  describe(): string {
    return `jitter(${Math.round(this.#targetMs)}ms) -> decode(${this.#codec.name})`;
  }

  close(): void {
    this.#decoder.close();
  }

  get #targetMs(): number {
    return Math.min(MAX_TARGET_MS, Math.max(MIN_TARGET_MS, this.#packetMs + 3 * this.#jitterMs));
  }

  get #depthMs(): number {
    return this.#held.length * this.#packetMs + (this.#filled * 1000) / this.#codec.rate;
  }

  #begins(): boolean {
    const first = this.#held[0];
    if (first === undefined || this.#depthMs < this.#targetMs) return false;
    this.#isPlaying = true;
    this.#expected = first.sequence;
    this.#dryFrames = 0;
    this.#watched = 0;
    this.#leastMs = Infinity;
    return true;
  }

  /** Takes one packet, or fills in for one that is missing. False: nothing is there. */
  #next(): boolean {
    const first = this.#held[0];
    if (first === undefined || this.#expected === undefined) return false;
    const missing = sequenceStep(this.#expected, first.sequence);
    if (missing > 0 && this.#concealedInARow < MAX_CONCEALED) {
      this.#concealedInARow += 1;
      this.#expected = (this.#expected + 1) & 0xffff;
      const count = (this.#codec.rate / 1000) * this.#packetMs;
      this.#append(this.#conceal(count), count);
      return true;
    }
    this.#concealedInARow = 0;
    this.#held.shift();
    this.#expected = (first.sequence + 1) & 0xffff;
    if (first.payload.length === 0) return true;
    const samples = this.#decoder.decode(first.payload);
    if (samples.length > 0) this.#packetMs = Math.max(MIN_PACKET_MS, (samples.length * 1000) / this.#codec.rate);
    this.#append(samples, samples.length);
    return true;
  }

  #conceal(count: number): Int16Array {
    this.counters.concealed += 1;
    return this.#decoder.conceal(count);
  }

  #append(samples: Int16Array, count: number): void {
    const room = Math.min(count, this.#samples.length - this.#filled);
    this.#samples.fill(0, this.#filled, this.#filled + room);
    this.#samples.set(samples.subarray(0, room), this.#filled);
    this.#filled += room;
  }

  #drop(count: number): void {
    const gone = Math.min(count, this.#filled);
    this.#samples.copyWithin(0, gone, this.#filled);
    this.#filled -= gone;
  }

  /** What it never fell below in a second is more than it needs. */
  #watch(frameSamples: number): void {
    this.#leastMs = Math.min(this.#leastMs, this.#depthMs);
    this.#watched += 1;
    if (this.#watched < WATCHED_FRAMES) return;
    if (this.#leastMs > this.#targetMs + FRAME_MS && this.#next()) {
      this.#drop(frameSamples);
      this.counters.leftOut += 1;
    }
    this.#watched = 0;
    this.#leastMs = Infinity;
  }

  /** RFC 3550 6.4.1, in milliseconds. */
  #measure(packet: RtpPacket, nowMs: number): void {
    const transitMs = nowMs - (packet.timestamp * 1000) / this.#codec.clockRate;
    if (this.#lastTransitMs !== undefined) {
      const change = Math.abs(transitMs - this.#lastTransitMs);
      // More is a pause or a wrap of the timestamps, not a delay.
      if (change < 1000) this.#jitterMs += (change - this.#jitterMs) / 16;
    }
    this.#lastTransitMs = transitMs;
  }

  #restart(packet: RtpPacket): void {
    this.#held.length = 0;
    this.#ssrc = packet.ssrc;
    this.#expected = undefined;
    this.#isPlaying = false;
    this.#lastTransitMs = undefined;
  }
}
