import type { MeasuredSound } from '../core/call/index.ts';
import type { EslEvent } from './client-libraries/index.ts';

/**
 * How a leg sounded, from what its media server says when it hangs up: the same variables of both engines. FreeSWITCH 1.10.12
 * has no round trip, no opinion of the far end, and of the jitter a variance. null: no packet ever came.
 */
export function soundIn(event: EslEvent): MeasuredSound | null {
  const value = (name: string): number | null => {
    const text = event.getHeader(`variable_rtp_audio_${name}`);
    return text !== undefined && /^\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text) : null;
  };
  const [mos, packets] = [value('in_mos'), value('in_packet_count') ?? 0];
  if (mos === null || packets === 0) return null;
  const absent = (value('in_skip_packet_count') ?? 0) + (value('in_jitter_packet_count') ?? 0);
  const variance = value('in_jitter_max_variance');
  const jitterMs = value('in_jitter_ms') ?? (variance === null ? null : Math.sqrt(variance));
  return {
    mosHundredths: Math.round(mos * 100),
    lostPermille: Math.min(1000, Math.round((absent * 1000) / (packets + absent))),
    jitterMs: rounded(jitterMs),
    roundTripMs: rounded(value('rtcp_round_trip_ms')),
    farMosHundredths: rounded(value('out_mos'), 100),
  };
}

function rounded(value: number | null, times = 1): number | null {
  return value === null ? null : Math.round(value * times);
}
