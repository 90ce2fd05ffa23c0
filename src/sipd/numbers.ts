import type { SipEndpoint } from '../sip/index.ts';
import type { Admission } from './admission/admission.ts';
import { kernelDrops } from './kernel-drops.ts';

/** Plain counters and gauges, for a log line or a scrape. */
export type SipdMetrics = Readonly<Record<string, number>>;

/** Those of the endpoint, and of who was let in. */
export function numbersOf(endpoint: SipEndpoint, { counters, gate, lateMs }: Admission): SipdMetrics {
  const udpPorts = endpoint.addresses.flatMap(({ protocol, port }) => (protocol === 'udp' ? [port] : []));
  return {
    ...endpoint.counts,
    halfOpen: endpoint.halfOpen,
    ...endpoint.counters,
    ...endpoint.transportCounters,
    ...counters,
    ...gate.counters,
    bannedNow: gate.bannedNow(Date.now()),
    lateMs: Math.round(lateMs),
    kernelDrops: kernelDrops(new Set(udpPorts)),
  };
}
