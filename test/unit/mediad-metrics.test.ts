/** The page that a monitor reads: each number that was asked for is on it, under its name, and is the one that was counted. */
import t from 'tap';
import { type LegReport, type MediaCounters, NO_COUNTERS } from '../../src/mediad/media/messages.ts';
import { WorkerMeter } from '../../src/mediad/media/worker-numbers.ts';
import { metricsText } from '../../src/mediad/metrics-text.ts';

const counted: readonly (readonly [string, keyof MediaCounters])[] = [
  ['packets_received', 'packetsIn'],
  ['packets_sent', 'packetsOut'],
  ['bytes_received', 'bytesIn'],
  ['bytes_sent', 'bytesOut'],
  ['packets_lost', 'lostIn'],
  ['packets_late', 'lateIn'],
  ['packets_reordered', 'reorderedIn'],
  ['packets_duplicated', 'duplicatesIn'],
  ['packets_concealed', 'concealed'],
  ['packets_foreign', 'foreignIn'],
  ['packets_unauthentic', 'unauthenticIn'],
  ['packets_broken', 'brokenIn'],
  ['reports_received', 'controlIn'],
  ['reports_sent', 'controlOut'],
];

/** Every counter of it has another value. */
function aReport(codec: LegReport['codec'], isSilent: boolean, times: number): LegReport {
  const own = Object.fromEntries(counted.map(([, counter], i) => [counter, (i + 1) * times]));
  return { codec, isSilent, counters: { ...NO_COUNTERS, ...own }, quality: undefined, chain: '' };
}

t.test(
  'legs, packets, late, lost, concealed, the clock, codecs, recordings, CPU: of living and of closed legs',
  async (t) => {
    const meter = new WorkerMeter();
    meter.legClosed(aReport('OPUS', false, 100));
    for (const lateMs of [0, 0.4, 3, 30, 500]) meter.late(lateMs);
    meter.lasted(3, 20);
    meter.lasted(2, 20);
    const living = [aReport('PCMU', false, 1), aReport('PCMU', true, 10), aReport('G722', false, 1000)];
    const numbers = meter.numbers(living, { conferences: 2, recordings: 4 });
    const idle = new WorkerMeter().numbers([], { conferences: 0, recordings: 0 });
    const page = metricsText(
      [
        { ...numbers, cpuMs: 7 },
        { ...idle, cpuMs: 1 },
      ],
      5,
    );
    const value = (series: string) => {
      const line = page.split('\n').find((one) => one.startsWith(`mediad_${series} `));
      return line === undefined ? undefined : Number(line.split(' ')[1]);
    };
    const first = (name: string) => value(`${name}{worker="0"}`);
    t.equal(value('channels'), 5);
    t.same(['legs', 'silent_legs', 'conferences', 'recordings'].map(first), [3, 1, 2, 4]);
    t.equal(value('legs_by_codec{worker="0",codec="PCMU"}'), 2);
    t.equal(value('legs_by_codec{worker="0",codec="G722"}'), 1);
    t.equal(value('legs_by_codec{worker="0",codec="OPUS"}'), undefined, 'nobody speaks it now');
    for (const [i, [name]] of counted.entries()) {
      t.equal(first(`${name}_total`), (i + 1) * 1111, name);
      t.equal(value(`${name}_total{worker="1"}`), 0, `${name} of the other thread`);
    }
    t.equal(first('clock_lateness_seconds_count'), 5);
    t.equal(first('clock_lateness_seconds_sum'), 0.5334);
    t.equal(value('clock_lateness_seconds_bucket{worker="0",le="+Inf"}'), 5);
    const buckets = [...page.matchAll(/lateness_seconds_bucket\{worker="0",le="([^+"]+)"\} (\d+)/g)];
    t.ok(buckets.length > 3);
    for (const [, bound, count] of buckets)
      t.equal(
        Number(count),
        [0, 0.4, 3, 30, 500].filter((ms) => ms <= Number(bound) * 1000).length,
        `late by ${bound} s`,
      );
    t.equal(first('cpu_seconds_total'), 0.007);
    t.equal(first('leg_seconds_total'), 0.1);
    t.equal(first('cpu_per_leg'), 0.07);
    t.equal(value('cpu_per_leg{worker="1"}'), 0, 'nobody was there to be served');
    const families = [...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    t.equal(new Set(families).size, families.length, 'each is explained once');
  },
);
