/** What Prometheus reads at /metrics. One series per media thread, which is named by its number. */
import { LATE_BOUNDS_MS, type MediaCounters, type WorkerNumbers } from './media/messages.ts';

/** Names and meanings; docs/reference/media-daemon.md has them too. */
const COUNTED: readonly (readonly [name: string, help: string, counter: keyof MediaCounters])[] = [
  ['packets_received', 'RTP packets of phones.', 'packetsIn'],
  ['packets_sent', 'RTP packets to phones.', 'packetsOut'],
  ['bytes_received', 'Bytes of them.', 'bytesIn'],
  ['bytes_sent', 'Bytes of them.', 'bytesOut'],
  ['packets_lost', 'Packets of phones that did not come.', 'lostIn'],
  ['packets_late', 'Packets that came more than 60 ms behind younger ones.', 'lateIn'],
  ['packets_reordered', 'Packets that came out of order, and in time.', 'reorderedIn'],
  ['packets_duplicated', 'Packets that came twice.', 'duplicatesIn'],
  ['packets_concealed', 'Missing packets that were filled in for.', 'concealed'],
  ['packets_foreign', 'Packets from somewhere else than the phone; not heard.', 'foreignIn'],
  ['packets_unauthentic', 'SRTP packets made with another key, changed, or heard before.', 'unauthenticIn'],
  ['packets_broken', 'Packets that could not be read.', 'brokenIn'],
  ['reports_received', 'RTCP packets of phones.', 'controlIn'],
  ['reports_sent', 'RTCP packets to phones.', 'controlOut'],
];

export function metricsText(workers: readonly WorkerNumbers[], channels: number): string {
  const lines: string[] = [];
  const family = (name: string, type: 'counter' | 'gauge' | 'histogram', help: string) =>
    lines.push(`# HELP mediad_${name} ${help}`, `# TYPE mediad_${name} ${type}`);
  const perWorker = (name: string, value: (numbers: WorkerNumbers) => number) => {
    for (const [i, numbers] of workers.entries()) lines.push(`mediad_${name}{worker="${i}"} ${value(numbers)}`);
  };
  const gauge = (name: string, help: string, value: (numbers: WorkerNumbers) => number) => {
    family(name, 'gauge', help);
    perWorker(name, value);
  };
  family('channels', 'gauge', 'Legs as the event socket counts them.');
  lines.push(`mediad_channels ${channels}`);
  gauge('legs', 'Legs with a port.', ({ legs }) => legs);
  gauge('silent_legs', 'Legs whose phone should be heard and is not.', ({ silentLegs }) => silentLegs);
  gauge('conferences', 'Conferences.', ({ conferences }) => conferences);
  gauge('recordings', 'Recordings that run.', ({ recordings }) => recordings);
  family('legs_by_codec', 'gauge', 'Legs by the codec that they speak.');
  for (const [i, { codecs }] of workers.entries()) {
    for (const [codec, legs] of Object.entries(codecs)) {
      lines.push(`mediad_legs_by_codec{worker="${i}",codec="${codec}"} ${legs}`);
    }
  }
  for (const [name, help, counter] of COUNTED) {
    family(`${name}_total`, 'counter', help);
    perWorker(`${name}_total`, ({ counters }) => counters[counter]);
  }
  family('clock_lateness_seconds', 'histogram', 'How late the 20 ms clock of a media thread was.');
  for (const [i, { late }] of workers.entries()) {
    const bucket = (bound: string, count: number) =>
      lines.push(`mediad_clock_lateness_seconds_bucket{worker="${i}",le="${bound}"} ${count}`);
    for (const [n, boundMs] of LATE_BOUNDS_MS.entries()) bucket(String(boundMs / 1000), late.within[n] ?? 0);
    bucket('+Inf', late.count);
    lines.push(`mediad_clock_lateness_seconds_sum{worker="${i}"} ${late.sumMs / 1000}`);
    lines.push(`mediad_clock_lateness_seconds_count{worker="${i}"} ${late.count}`);
  }
  family('cpu_seconds_total', 'counter', 'CPU of a media thread.');
  perWorker('cpu_seconds_total', ({ cpuMs }) => cpuMs / 1000);
  family('leg_seconds_total', 'counter', 'How long legs lasted, together.');
  perWorker('leg_seconds_total', ({ legMs }) => legMs / 1000);
  gauge('cpu_per_leg', 'CPU seconds for each second of a leg, since the start.', ({ cpuMs, legMs }) =>
    legMs === 0 ? 0 : Number((cpuMs / legMs).toPrecision(4)),
  );
  return `${lines.join('\n')}\n`;
}
