/** What a leg knows of its packets: counted as they come, reported to the other side, rated for people. */
import { randomBytes } from 'node:crypto';
import type { Codec } from './codec/codec-types.ts';
import { QualityMeter } from './leg-quality.ts';
import type { LegQuality, MediaCounters, RtcpNews } from './messages.ts';
import { Reception } from './reception.ts';
import { RtcpSession, type Sent } from './rtcp-session.ts';
import { RTP_HEADER_BYTES, type RtpPacket } from './rtp-packet.ts';

export interface LegControlOptions {
  readonly counters: { -readonly [K in keyof MediaCounters]: number };
  readonly ssrc: number;
  readonly codec: Codec;
  readonly nowMs: number;
  /** What to add to a leg's time for milliseconds since 1970. */
  readonly epochMs?: number | undefined;
  /** From 0 to 1. */
  readonly random?: (() => number) | undefined;
  /** False: it may not be sent. */
  readonly send: (packet: Buffer) => boolean;
  readonly measured: (quality: LegQuality) => void;
  readonly reported: (news: RtcpNews) => void;
}

export class LegControl {
  readonly #options: LegControlOptions;
  readonly #reception: Reception;
  readonly #meter: QualityMeter;
  readonly #cname = randomBytes(12).toString('base64url');
  #rtcp: RtcpSession;
  /** What was sent before our stream began. */
  #before = { packets: 0, octets: 0 };

  constructor(options: LegControlOptions) {
    this.#options = options;
    this.#reception = new Reception(options.counters);
    this.#meter = new QualityMeter(this.#reception, options);
    this.#rtcp = this.#session(options.ssrc);
  }

  set codec(codec: Codec) {
    this.#meter.codec = codec;
  }

  /** `clockRate`: undefined for packets whose timing says nothing (digits). */
  heard(packet: RtpPacket, sizeBytes: number, nowMs: number, clockRate: number | undefined): void {
    this.#reception.count(packet, sizeBytes, nowMs, clockRate);
  }

  heardReport(packet: Buffer, nowMs: number): void {
    const { counters, reported } = this.#options;
    const read = this.#rtcp.receive(packet, nowMs, this.#reception);
    if (read === undefined) {
      counters.brokenIn += 1;
      return;
    }
    counters.controlIn += 1;
    if (read.heard !== undefined) this.#meter.told(read.heard);
    reported({ reports: read.compound.reports, roundTripMs: read.heard?.roundTripMs });
  }

  /** Once per 20 ms. `timestamp`: that of what is sent now. */
  tick(nowMs: number, timestamp: number): void {
    this.#rtcp.tick(nowMs, this.#sent(timestamp), this.#reception);
    const quality = this.#meter.tick(nowMs);
    if (quality !== undefined) this.#options.measured(quality);
  }

  /** Our stream ends, and one with another SSRC begins, whose packets are counted anew (RFC 3550 6.4.1). */
  beginAnew(ssrc: number, nowMs: number, timestamp: number): void {
    this.close(nowMs, timestamp);
    this.#before = this.#sentInAll();
    this.#rtcp = this.#session(ssrc);
  }

  /** Until now; undefined when there was nothing to hear. */
  get quality(): LegQuality | undefined {
    return this.#meter.whole();
  }

  close(nowMs: number, timestamp: number): void {
    this.#rtcp.goodbye(nowMs, this.#sent(timestamp), this.#reception);
  }

  #send(packet: Buffer): void {
    if (this.#options.send(packet)) this.#options.counters.controlOut += 1;
  }

  #session(ssrc: number): RtcpSession {
    const { random = Math.random, epochMs = performance.timeOrigin } = this.#options;
    return new RtcpSession({ ssrc, cname: this.#cname, epochMs, random, send: (packet) => this.#send(packet) });
  }

  #sent(timestamp: number): Sent {
    const { packets, octets } = this.#sentInAll();
    return { timestamp, packets: packets - this.#before.packets, octets: octets - this.#before.octets };
  }

  #sentInAll(): { packets: number; octets: number } {
    const { packetsOut, bytesOut } = this.#options.counters;
    return { packets: packetsOut, octets: bytesOut - packetsOut * RTP_HEADER_BYTES };
  }
}
