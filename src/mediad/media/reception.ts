/** What arrived at a leg: counted and timed as in RFC 3550 appendix A, with what came twice and what came too late to be heard. */
import type { MediaCounters } from './messages.ts';
import type { ReportBlock } from './rtcp-packet.ts';
import { sequenceStep, timestampStep, type RtpPacket } from './rtp-packet.ts';

/** A step within these is loss or disorder; beyond, the sender has begun anew once two packets say so (A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
/** Which sequence numbers came is remembered for so many. */
const REMEMBERED = 64;
const NEVER = -(2 ** 31);
/** Nobody waits longer for a packet that others have overtaken. */
const LATE_MS = 60;
/** More is a pause or another beginning of the timestamps, not a delay. */
const LONGEST_DELAY_SECS = 1;

/** One SSRC. Sequence numbers are extended by the rounds they have made. */
interface Source {
  readonly ssrc: number;
  readonly base: number;
  newest: number;
  newestTimestamp: number;
  received: number;
  unique: number;
  expectedBefore: number;
  receivedBefore: number;
  /** In units of the RTP clock. */
  jitter: number;
  transit: number | undefined;
  arrivalMs: number | undefined;
  readonly seen: Int32Array;
  badSequence: number | undefined;
}

/** What happened since it was last asked. */
export interface Stretch {
  readonly expected: number;
  readonly lost: number;
  readonly late: number;
  /** Of the times between packets, against those between their timestamps, in ms². */
  readonly variance: number;
  /** Between packets; 0 without any. */
  readonly meanIntervalMs: number;
}

export class Reception {
  readonly counters: { -readonly [K in keyof MediaCounters]: number };
  #source: Source | undefined;
  /** By sources before this one. */
  #expectedOfOthers = 0;
  #lostOfOthers = 0;
  #senderReport: { readonly middle: number; readonly atMs: number } | undefined;
  #before = { expected: 0, lost: 0, late: 0 };
  #deviations = { squares: 0, intervalsMs: 0, count: 0 };

  constructor(counters: { -readonly [K in keyof MediaCounters]: number }) {
    this.counters = counters;
  }

  get ssrc(): number | undefined {
    return this.#source?.ssrc;
  }

  /** Packets that should have come. */
  get expected(): number {
    return this.#expectedOfOthers + expectedOf(this.#source);
  }

  /** `clockRate`: undefined for packets whose timing says nothing (digits). */
  count(packet: RtpPacket, sizeBytes: number, nowMs: number, clockRate: number | undefined): void {
    const { counters } = this;
    counters.packetsIn += 1;
    counters.bytesIn += sizeBytes;
    if (this.#source?.ssrc !== packet.ssrc) this.#begin(packet);
    const source = this.#source!;
    const step = sequenceStep(source.newest & 0xffff, packet.sequence);
    if (step > MAX_DROPOUT || step < -MAX_MISORDER) {
      if (packet.sequence !== source.badSequence) {
        source.badSequence = (packet.sequence + 1) & 0xffff;
        return;
      }
      this.#begin(packet);
      return this.#take(this.#source!, packet, { step: 0, nowMs, clockRate });
    }
    source.badSequence = undefined;
    this.#take(source, packet, { step, nowMs, clockRate });
  }

  /** Of the source that is heard now; `middle`: the middle 32 bits of the NTP time of its report. */
  reported(ssrc: number, middle: number, nowMs: number): void {
    if (this.#source?.ssrc === ssrc) this.#senderReport = { middle, atMs: nowMs };
  }

  /** For our next report (A.3); undefined while nobody has been heard. */
  block(nowMs: number): ReportBlock | undefined {
    const source = this.#source;
    if (source === undefined) return undefined;
    const expected = expectedOf(source);
    const expectedNow = expected - source.expectedBefore;
    const lostNow = expectedNow - (source.received - source.receivedBefore);
    source.expectedBefore = expected;
    source.receivedBefore = source.received;
    const report = this.#senderReport;
    return {
      ssrc: source.ssrc,
      fractionLost: expectedNow === 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      lost: expected - source.received,
      highestSequence: source.newest >>> 0,
      jitter: Math.floor(source.jitter),
      lastReport: report?.middle ?? 0,
      // A tick that comes late tells a time before that of what has come meanwhile.
      sinceLastReport: report === undefined ? 0 : Math.max(0, Math.round(((nowMs - report.atMs) * 65_536) / 1000)),
    };
  }

  stretch(): Stretch {
    const { counters, expected } = this;
    const { squares, intervalsMs, count } = this.#deviations;
    const before = this.#before;
    this.#before = { expected, lost: counters.lostIn, late: counters.lateIn };
    this.#deviations = { squares: 0, intervalsMs: 0, count: 0 };
    return {
      expected: expected - before.expected,
      lost: Math.max(0, counters.lostIn - before.lost),
      late: counters.lateIn - before.late,
      variance: count === 0 ? 0 : squares / count,
      meanIntervalMs: count === 0 ? 0 : intervalsMs / count,
    };
  }

  #begin({ ssrc, sequence, timestamp }: RtpPacket): void {
    this.#expectedOfOthers = this.expected;
    this.#lostOfOthers = this.counters.lostIn;
    this.#senderReport = undefined;
    this.#source = {
      ssrc,
      base: sequence,
      newest: sequence,
      newestTimestamp: timestamp,
      received: 0,
      unique: 0,
      expectedBefore: 0,
      receivedBefore: 0,
      jitter: 0,
      transit: undefined,
      arrivalMs: undefined,
      seen: new Int32Array(REMEMBERED).fill(NEVER),
      badSequence: undefined,
    };
  }

  #take(
    source: Source,
    packet: RtpPacket,
    at: { readonly step: number; readonly nowMs: number; readonly clockRate: number | undefined },
  ): void {
    const { step, nowMs, clockRate } = at;
    const { counters } = this;
    const sequence = source.newest + step;
    source.received += 1;
    const slot = ((sequence % REMEMBERED) + REMEMBERED) % REMEMBERED;
    if (source.seen[slot] === sequence) {
      counters.duplicatesIn += 1;
      return;
    }
    if (step <= 0 && source.unique > 0) {
      // All packets of a key have the time at which it was pressed.
      const behind = clockRate === undefined ? 0 : timestampStep(packet.timestamp, source.newestTimestamp) / clockRate;
      if (behind * 1000 > LATE_MS) counters.lateIn += 1;
      else counters.reorderedIn += 1;
    }
    source.seen[slot] = sequence;
    // Before the first one that came: nobody counted on it.
    if (sequence < source.base) return;
    source.unique += 1;
    if (step > 0) {
      source.newest = sequence;
      source.newestTimestamp = packet.timestamp;
    }
    counters.lostIn = this.#lostOfOthers + Math.max(0, expectedOf(source) - source.unique);
    if (clockRate !== undefined) this.#time(source, packet, nowMs, clockRate);
  }

  /** A.8. */
  #time(source: Source, packet: RtpPacket, nowMs: number, clockRate: number): void {
    const transit = (Math.floor((nowMs * clockRate) / 1000) - packet.timestamp) | 0;
    const change = source.transit === undefined ? 0 : Math.abs((transit - source.transit) | 0);
    if (source.transit !== undefined && change < LONGEST_DELAY_SECS * clockRate) {
      source.jitter += (change - source.jitter) / 16;
      this.counters.jitterInMs = (source.jitter * 1000) / clockRate;
      this.#deviations.squares += ((change * 1000) / clockRate) ** 2;
      this.#deviations.intervalsMs += nowMs - (source.arrivalMs ?? nowMs);
      this.#deviations.count += 1;
    }
    source.transit = transit;
    source.arrivalMs = nowMs;
  }
}

function expectedOf(source: Source | undefined): number {
  return source === undefined || source.received === 0 ? 0 : source.newest - source.base + 1;
}
