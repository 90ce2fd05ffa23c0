/** What arrived at a leg, counted as RFC 3550 appendix A does. */
import type { MediaCounters } from './messages.ts';
import { sequenceStep, type RtpPacket } from './rtp-packet.ts';

export class Reception {
  readonly counters: { -readonly [K in keyof MediaCounters]: number };
  #last: { ssrc: number; sequence: number; transitMs: number } | undefined;

  constructor(counters: { -readonly [K in keyof MediaCounters]: number }) {
    this.counters = counters;
  }

  /** `clockRate`: undefined for packets whose timing says nothing (digits). */
  count(packet: RtpPacket, sizeBytes: number, nowMs: number, clockRate: number | undefined): void {
    const { counters } = this;
    counters.packetsIn += 1;
    counters.bytesIn += sizeBytes;
    const last = this.#last;
    const isGoingOn = last !== undefined && last.ssrc === packet.ssrc;
    const step = isGoingOn ? sequenceStep(last.sequence, packet.sequence) : 1;
    if (step <= 0) return;
    if (step > 1 && step < 1000) counters.lostIn += step - 1;
    const transitMs = clockRate === undefined ? last?.transitMs : nowMs - (packet.timestamp * 1000) / clockRate;
    if (isGoingOn && clockRate !== undefined) {
      const change = Math.abs((transitMs ?? 0) - last.transitMs);
      if (change < 1000) counters.jitterInMs += (change - counters.jitterInMs) / 16;
    }
    this.#last = { ssrc: packet.ssrc, sequence: packet.sequence, transitMs: transitMs ?? 0 };
  }
}
