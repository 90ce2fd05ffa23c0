/**
 * A leg's side of RTCP: reports at the intervals of RFC 3550 6.2, and what those of the other side say.
 *
 *   quiet --first packet--> reporting --close--> gone        the goodbye is only said by who has reported
 *
 * There are two parties, and our part of their band is far more than two reports need: the least interval always holds.
 */
import type { CompoundPacket, Report, ReportBlock, SenderInfo } from './rtcp-packet.ts';
import { readRtcp, writeRtcp } from './rtcp-packet.ts';
import type { Reception } from './reception.ts';

export interface RtcpOptions {
  readonly ssrc: number;
  /** Tells nothing about anybody (RFC 7022 4.2). */
  readonly cname: string;
  /** What to add to a leg's time for milliseconds since 1970. */
  readonly epochMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly send: (packet: Buffer) => void;
}

/** What we have sent until now. */
export interface Sent {
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** What the other side says of what we send. */
export interface Heard {
  readonly lost: number;
  /** From 0 to 1, since its report before. */
  readonly fractionLost: number;
  /** In units of the RTP clock. */
  readonly jitter: number;
  /** undefined: it cannot be computed from this report. */
  readonly roundTripMs: number | undefined;
}

const LEAST_INTERVAL_MS = 5000;
/** RFC 3550 6.3.1: e - 3/2 makes up for what randomness does to the mean. */
const COMPENSATION = Math.E - 1.5;
/** Nobody may report more often; what does is not read. */
const LEAST_HEARD_MS = 100;
/** A report may refer to one of so many of ours. */
const REMEMBERED_REPORTS = 8;
const LONGEST_ROUND_TRIP_MS = 30_000;
/** Seconds from 1900 to 1970. */
const NTP_EPOCH_SECS = 2_208_988_800;

export class RtcpSession {
  readonly #options: RtcpOptions;
  readonly #ourReports: { readonly middle: number; readonly atMs: number }[] = [];
  #dueMs: number | undefined;
  #lastHeardMs = -Infinity;
  #packetsAtReports: readonly number[] = [0, 0];
  #hasReported = false;

  constructor(options: RtcpOptions) {
    this.#options = options;
  }

  /** Once per 20 ms. */
  tick(nowMs: number, sent: Sent, reception: Reception): void {
    if (sent.packets === 0 && reception.ssrc === undefined) return;
    this.#dueMs ??= nowMs + this.#wait(LEAST_INTERVAL_MS / 2);
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + this.#wait(LEAST_INTERVAL_MS);
    this.#report(nowMs, sent, reception, false);
  }

  /** undefined: it is no RTCP, or comes too soon. Its goodbyes are told and mean nothing: anybody can say them. */
  receive(
    packet: Buffer,
    nowMs: number,
    reception: Reception,
  ): { compound: CompoundPacket; heard: Heard | undefined } | undefined {
    if (nowMs - this.#lastHeardMs < LEAST_HEARD_MS) return undefined;
    const compound = readRtcp(packet);
    if (compound === undefined) return undefined;
    this.#lastHeardMs = nowMs;
    let heard: Heard | undefined;
    for (const { ssrc, sender, blocks } of compound.reports) {
      if (sender !== undefined) reception.reported(ssrc, middleOf(sender), nowMs);
      const ours = blocks.find((block) => block.ssrc === this.#options.ssrc);
      if (ours !== undefined) heard = this.#read(ours, nowMs);
    }
    return { compound, heard };
  }

  goodbye(nowMs: number, sent: Sent, reception: Reception): void {
    if (this.#hasReported) this.#report(nowMs, sent, reception, true);
  }

  #report(nowMs: number, sent: Sent, reception: Reception, isGoodbye: boolean): void {
    const { ssrc, cname, send } = this.#options;
    // 6.4: who has sent since the report before the last is a sender.
    const isSender = sent.packets > this.#packetsAtReports[0]!;
    this.#packetsAtReports = [this.#packetsAtReports[1]!, sent.packets];
    const block = reception.block(nowMs);
    const sender = isSender ? { ...this.#ntp(nowMs), ...sent } : undefined;
    if (sender !== undefined) {
      this.#ourReports.push({ middle: middleOf(sender), atMs: nowMs });
      if (this.#ourReports.length > REMEMBERED_REPORTS) this.#ourReports.shift();
    }
    const report: Report = { ssrc, sender, blocks: block === undefined ? [] : [block] };
    this.#hasReported = true;
    send(writeRtcp(report, cname, isGoodbye));
  }

  #read(block: ReportBlock, nowMs: number): Heard {
    // Only a report of ours can be answered: anything else would be an invented time.
    const ours = this.#ourReports.find(({ middle }) => middle === block.lastReport);
    const roundTripMs = ours === undefined ? -1 : nowMs - ours.atMs - (block.sinceLastReport * 1000) / 65_536;
    return {
      lost: block.lost,
      fractionLost: block.fractionLost / 256,
      jitter: block.jitter,
      // A clock that counts in 1/65536 s may be that much ahead.
      roundTripMs:
        roundTripMs < -1 || ours === undefined || roundTripMs > LONGEST_ROUND_TRIP_MS
          ? undefined
          : Math.max(0, roundTripMs),
    };
  }

  #wait(intervalMs: number): number {
    return (intervalMs * (0.5 + this.#options.random())) / COMPENSATION;
  }

  #ntp(nowMs: number): Pick<SenderInfo, 'ntpSeconds' | 'ntpFraction'> {
    const ms = this.#options.epochMs + nowMs;
    const seconds = Math.floor(ms / 1000);
    return {
      ntpSeconds: (seconds + NTP_EPOCH_SECS) >>> 0,
      ntpFraction: Math.floor(((ms - seconds * 1000) / 1000) * 2 ** 32) >>> 0,
    };
  }
}

function middleOf({ ntpSeconds, ntpFraction }: Pick<SenderInfo, 'ntpSeconds' | 'ntpFraction'>): number {
  return (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0;
}
