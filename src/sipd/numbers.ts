import type { SipEndpoint } from '../sip/index.ts';
import type { Admission } from './admission/admission.ts';
import type { KernelQueue } from './kernel-queue.ts';

/** Plain counters and gauges, for a log line or a scrape. */
export type SipdMetrics = Readonly<Record<string, number>>;

/** Those of the endpoint, and of who was let in. */
export function numbersOf(
  endpoint: SipEndpoint,
  { counters, gate, lateMs, callsPerSecond, reservedNumbers }: Admission,
  { last: kernel }: KernelQueue,
): SipdMetrics {
  return {
    ...endpoint.counts,
    halfOpen: endpoint.halfOpen,
    ...endpoint.counters,
    ...endpoint.transportCounters,
    ...counters,
    ...gate.counters,
    bannedNow: gate.bannedNow(Date.now()),
    lateMs: Math.round(lateMs),
    callsPerSecondLimit: callsPerSecond,
    reservedNumbers,
    kernelDrops: kernel.drops,
    kernelQueueBytes: kernel.bytes,
  };
}
