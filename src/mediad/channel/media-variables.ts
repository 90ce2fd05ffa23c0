/** What is known of a leg's packets, under FreeSWITCH's names; what each means here stands in docs/engines.md. */
import type { EventHeaders } from '../event-socket/framing.ts';
import type { LegQuality, LegReport, RtcpNews } from '../media/messages.ts';
import { RTP_HEADER_BYTES } from '../media/rtp-packet.ts';

/** Of a channel, what is needed here. */
interface Leg {
  readonly uuid: string;
  readonly variables: Map<string, string>;
  publish(name: string, headers?: EventHeaders, options?: { subclass?: string; body?: string }): void;
}

/** R of a connection that nothing spoils. */
const BEST_R = 93.2;

/** As FreeSWITCH sets them for uuid_set_media_stats, and at the end. */
export function setMediaVariables({ variables }: Pick<Leg, 'variables'>, report: LegReport): void {
  const { counters, quality } = report;
  const values: Readonly<Record<string, string | number>> = {
    in_raw_bytes: counters.bytesIn,
    in_media_bytes: counters.bytesIn - counters.packetsIn * RTP_HEADER_BYTES,
    in_packet_count: counters.packetsIn,
    in_media_packet_count: counters.packetsIn - counters.digitPacketsIn,
    in_skip_packet_count: counters.lostIn,
    in_jitter_packet_count: counters.lateIn,
    in_dtmf_packet_count: counters.digitPacketsIn,
    in_foreign_packet_count: counters.foreignIn,
    in_broken_packet_count: counters.brokenIn,
    in_unauthentic_packet_count: counters.unauthenticIn,
    in_flaw_total: counters.lostIn + counters.lateIn,
    in_jitter_ms: counters.jitterInMs.toFixed(2),
    out_raw_bytes: counters.bytesOut,
    out_media_bytes: counters.bytesOut - counters.packetsOut * RTP_HEADER_BYTES,
    out_packet_count: counters.packetsOut,
    out_media_packet_count: counters.packetsOut,
    rtcp_packet_count: counters.controlOut === 0 ? 0 : counters.packetsOut,
    rtcp_octet_count: counters.controlOut === 0 ? 0 : counters.bytesOut - counters.packetsOut * RTP_HEADER_BYTES,
    ...(quality !== undefined && qualityValues(quality)),
  };
  for (const [name, value] of Object.entries(values)) variables.set(`rtp_audio_${name}`, String(value));
}

function qualityValues(quality: LegQuality): Readonly<Record<string, string | number>> {
  const { spread, out, roundTripMs } = quality;
  return {
    in_jitter_min_variance: spread.min.toFixed(2),
    in_jitter_max_variance: spread.max.toFixed(2),
    in_jitter_loss_rate: quality.in.lossShare.toFixed(4),
    in_jitter_burst_rate: quality.burstShare.toFixed(4),
    in_mean_interval: quality.meanIntervalMs.toFixed(2),
    in_quality_percentage: ((quality.in.r / BEST_R) * 100).toFixed(2),
    in_mos: quality.in.mos.toFixed(2),
    in_r_factor: quality.in.r.toFixed(1),
    in_late_rate: quality.in.lateShare.toFixed(4),
    in_worst_mos: quality.worstMos.toFixed(2),
    ...(out !== undefined && {
      out_mos: out.mos.toFixed(2),
      out_r_factor: out.r.toFixed(1),
      out_loss_rate: out.lossShare.toFixed(4),
      out_jitter_ms: out.jitterMs.toFixed(2),
    }),
    ...(roundTripMs !== undefined && { rtcp_round_trip_ms: roundTripMs.toFixed(1) }),
  };
}

/** Of the last 5 s: wardline::media_quality, whose body names no person. */
export function publishQuality(channel: Leg, { in: heard, out, roundTripMs }: LegQuality): void {
  const body = JSON.stringify({ channel: channel.uuid, in: rounded(heard), out: out && rounded(out), roundTripMs });
  channel.publish('CUSTOM', {}, { subclass: 'wardline::media_quality', body });
}

function rounded(way: LegQuality['in']): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(way).map(([name, value]) => [name, Number(value.toFixed(4))]));
}

/** FreeSWITCH's event for each report of the other side. */
export function publishRtcp(channel: Leg, { reports, roundTripMs }: RtcpNews): void {
  for (const { ssrc, sender, blocks } of reports) {
    const headers: Record<string, string> = { SSRC: ssrc.toString(16), 'Report-Count': String(blocks.length) };
    if (sender !== undefined) {
      headers['NTP-Most-Significant-Word'] = String(sender.ntpSeconds);
      headers['NTP-Least-Significant-Word'] = String(sender.ntpFraction);
      headers['RTP-Timestamp'] = String(sender.timestamp);
      headers['Sender-Packet-Count'] = String(sender.packets);
      headers['Octect-Packet-Count'] = String(sender.octets);
    }
    for (const [i, block] of blocks.entries()) {
      const about: EventHeaders = {
        SSRC: block.ssrc.toString(16),
        Fraction: String(block.fractionLost),
        Lost: String(block.lost),
        'Highest-Sequence-Number-Received': String(block.highestSequence),
        Jitter: String(block.jitter),
        LSR: String(block.lastReport),
        DLSR: String(block.sinceLastReport),
      };
      for (const [name, value] of Object.entries(about)) headers[`Source${i}-${name}`] = value;
    }
    if (roundTripMs !== undefined) headers['Rtt0-Avg'] = (roundTripMs / 1000).toFixed(6);
    channel.publish('RECV_RTCP_MESSAGE', headers);
  }
}
