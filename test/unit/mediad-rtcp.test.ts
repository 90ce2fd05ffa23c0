import t from 'tap';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import { rate } from '../../src/mediad/media/e-model.ts';
import { MediaLeg } from '../../src/mediad/media/media-leg.ts';
import {
  NO_COUNTERS,
  type Endpoint,
  type LegQuality,
  type RemoteMedia,
  type RtcpNews,
} from '../../src/mediad/media/messages.ts';
import { Reception } from '../../src/mediad/media/reception.ts';
import { readRtcp, writeRtcp, type Report } from '../../src/mediad/media/rtcp-packet.ts';

const report: Report = {
  ssrc: 0xdeadbeef,
  sender: { ntpSeconds: 0xe9000001, ntpFraction: 0x80000000, timestamp: 4_294_967_295, packets: 500, octets: 80_000 },
  blocks: [
    {
      ssrc: 7,
      fractionLost: 64,
      lost: -3,
      highestSequence: 0x1ffff,
      jitter: 12,
      lastReport: 0x00018000,
      sinceLastReport: 65_536,
    },
  ],
};

interface Side {
  readonly leg: MediaLeg;
  readonly at: Endpoint;
  readonly control: Endpoint;
  readonly reports: { readonly atMs: number; readonly packet: Buffer; readonly isMuxed: boolean }[];
  readonly qualities: LegQuality[];
  readonly news: RtcpNews[];
}

interface Flight {
  readonly dueMs: number;
  readonly deliver: () => void;
}

/** Two legs that hear each other over a line with a delay and regular losses, on a clock of the test's own. */
function aLine(options: { readonly delayMs: number; readonly loseEvery?: number; readonly isMuxed?: boolean }) {
  let nowMs = 0;
  const flights: Flight[] = [];
  const random = (() => {
    let last = 0.123;
    return () => (last = (last * 997 + 0.61) % 1);
  })();
  const sides: Side[] = [];
  const side = (name: 'a' | 'b', other: number): Side => {
    const at = { address: name === 'a' ? '192.0.2.1' : '192.0.2.2', port: 4000 };
    const control = options.isMuxed === true ? at : { ...at, port: 4001 };
    const reports: Side['reports'][number][] = [];
    let sent = 0;
    const later = (deliver: () => void) => flights.push({ dueMs: nowMs + options.delayMs, deliver });
    const transport = {
      send: (datagram: Buffer) => {
        if (datagram[1]! >= 192) {
          reports.push({ atMs: nowMs, packet: datagram, isMuxed: true });
          return void later(() => sides[other]!.leg.receive(datagram, at, nowMs));
        }
        sent += 1;
        if (options.loseEvery !== undefined && sent % options.loseEvery === 0) return;
        later(() => sides[other]!.leg.receive(datagram, at, nowMs));
      },
      sendControl: (packet: Buffer) => {
        reports.push({ atMs: nowMs, packet, isMuxed: false });
        later(() => sides[other]!.leg.receiveControl(packet, control, nowMs));
      },
      connect() {},
      disconnect() {},
      close() {},
    };
    const qualities: LegQuality[] = [];
    const news: RtcpNews[] = [];
    const events = {
      digit() {},
      silent() {},
      measured: (quality: LegQuality) => void qualities.push(quality),
      reported: (heard: RtcpNews) => void news.push(heard),
    };
    const leg = new MediaLeg({ transport, events, silenceMs: 0, nowMs: 0, epochMs: 1_700_000_000_000, random });
    return { leg, at, control, reports, qualities, news };
  };
  sides.push(side('a', 1), side('b', 0));
  const [a, b] = sides as [Side, Side];
  const talk = {
    codec: PCMU,
    payloadType: 0,
    events: undefined,
    noise: undefined,
    alsoFrom: [],
    isReceiving: true,
    srtp: undefined,
  } as const;
  const remote = ({ at, control }: Side): RemoteMedia => ({
    ...talk,
    sendTo: at,
    control: options.isMuxed === true ? 'muxed' : control,
  });
  a.leg.setRemote(remote(b), 0);
  b.leg.setRemote(remote(a), 0);
  const land = () => {
    while (flights[0] !== undefined && flights[0].dueMs <= nowMs) flights.shift()!.deliver();
  };
  const pass = (ms: number) => {
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs += 10;
      land();
      if (nowMs % 20 === 0) for (const { leg } of sides) leg.tick(nowMs);
    }
  };
  return { a, b, pass, now: () => nowMs };
}

void t.test('a report is read as it was written; what breaks a rule of RFC 3550 A.2 is none', async (t) => {
  const whole = writeRtcp(report, 'abc', true);
  t.same(readRtcp(whole), { reports: [report], goodbyes: [0xdeadbeef] });
  t.same(readRtcp(writeRtcp({ ...report, sender: undefined, blocks: [] }, 'abcdef'))?.reports, [
    { ssrc: 0xdeadbeef, sender: undefined, blocks: [] },
  ]);
  const broken: readonly [string, (packet: Buffer) => Buffer][] = [
    ['nothing', () => Buffer.alloc(0)],
    ['too short', (packet) => packet.subarray(0, packet.length - 1)],
    ['another version', (packet) => Buffer.concat([Buffer.from([0x40 | (packet[0]! & 0x3f)]), packet.subarray(1)])],
    ['a name first', (packet) => packet.subarray(52)],
    ['more blocks than there are bytes', (packet) => Buffer.concat([Buffer.from([0x80 | 2]), packet.subarray(1)])],
    ['padding before the end', (packet) => Buffer.concat([Buffer.from([packet[0]! | 0x20]), packet.subarray(1)])],
    ['something behind it', (packet) => Buffer.concat([packet, Buffer.from([1, 2, 3])])],
    ['larger than a frame', (packet) => Buffer.concat([packet, Buffer.alloc(1500)])],
  ];
  for (const [why, change] of broken) t.equal(readRtcp(change(Buffer.from(whole))), undefined, why);
});

void t.test(
  'two legs report to each other: loss, round trip, uneven intervals, a name that says nothing, a goodbye',
  async (t) => {
    const { a, b, pass } = aLine({ delayMs: 40, loseEvery: 10 });
    pass(60_000);
    const gaps = a.reports.slice(1).map(({ atMs }, i) => atMs - a.reports[i]!.atMs);
    t.ok(a.reports[0]!.atMs <= 3100, 'the first soon');
    t.ok(gaps.length >= 7, `often enough: ${gaps.length}`);
    t.ok(Math.min(...gaps) >= 2050 && Math.max(...gaps) <= 6180, `between 2.05 and 6.16 s: ${gaps.join()}`);
    t.ok(new Set(gaps).size > 3, 'and never at one pace');
    t.notOk(
      a.reports.some(({ isMuxed }) => isMuxed),
      'from the port of RTCP',
    );
    const last = readRtcp(a.reports.at(-1)!.packet)!.reports[0]!;
    t.ok(last.sender!.packets > 2000 && last.sender!.octets === last.sender!.packets * 160);
    t.equal(last.sender!.ntpSeconds - 2_208_988_800, 1_700_000_000 + Math.floor(a.reports.at(-1)!.atMs / 1000));
    t.ok(Math.abs(last.blocks[0]!.fractionLost / 256 - 0.1) < 0.03, `a tenth is lost: ${last.blocks[0]!.fractionLost}`);
    const name = a.reports[0]!.packet.subarray(-20).toString('latin1');
    t.notMatch(name, /wardline|192|@/);
    const quality = a.qualities.at(-1)!;
    t.ok(Math.abs(quality.in.lossShare - 0.1) < 0.02);
    t.ok(Math.abs(quality.roundTripMs! - 80) <= 20, `round trip ${quality.roundTripMs}`);
    t.ok(Math.abs(quality.out!.lossShare - 0.1) < 0.03, 'and what the other side hears');
    t.ok(quality.in.mos > 2 && quality.in.mos < 3.6, `heard as bad: ${quality.in.mos}`);
    t.equal(a.qualities.length, 12, 'every 5 s');
    a.leg.close();
    const goodbye = readRtcp(a.reports.at(-1)!.packet)!;
    t.equal(goodbye.goodbyes.length, 1);
    const before = b.leg.report().counters.controlIn;
    pass(100);
    t.equal(b.leg.report().counters.controlIn, before + 1);
    pass(5000);
    t.equal(b.qualities.length, 13, 'who was told goodbye goes on: anybody can say it');
    t.ok(b.leg.report().quality!.worstMos <= b.leg.report().quality!.in.mos, 'at the end: all of it, and the worst');
  },
);

void t.test('a good line is a good line; RTCP shares the port where that was agreed', async (t) => {
  const { a, pass } = aLine({ delayMs: 20, isMuxed: true });
  pass(20_000);
  t.ok(a.reports.length >= 3 && a.reports.every(({ isMuxed }) => isMuxed));
  const { in: heard, out } = a.leg.report().quality!;
  t.match(heard, { lossShare: 0, lateShare: 0 });
  t.ok(heard.r > 90 && heard.mos > 4.3, `R ${heard.r}`);
  t.equal(out!.lossShare, 0);
  t.equal(a.leg.report().counters.brokenIn, 0);
});

void t.test(
  'reports are read from where the sound comes from only, not too often, and not believed beyond sense',
  async (t) => {
    const { a, b, pass, now } = aLine({ delayMs: 20 });
    pass(10_000);
    const { controlIn, foreignIn } = a.leg.report().counters;
    const invented = writeRtcp({ ...report, ssrc: 1 }, 'x');
    a.leg.receiveControl(invented, { address: '203.0.113.5', port: 4001 }, now() + 200);
    a.leg.receiveControl(invented, { address: b.at.address, port: 4999 }, now() + 200);
    t.match(a.leg.report().counters, { controlIn, foreignIn: foreignIn + 2 }, 'not from elsewhere');
    a.leg.receive(invented, b.at, now() + 200);
    t.equal(a.leg.report().counters.controlIn, controlIn, 'nor on the port of the sound where that was not agreed');
    const ours = readRtcp(a.reports[0]!.packet)!.reports[0]!.ssrc;
    const block = { ...report.blocks[0]!, ssrc: ours, lastReport: 0x12345678 };
    a.leg.receiveControl(writeRtcp({ ...report, blocks: [block] }, 'x'), b.control, now() + 200);
    t.equal(a.leg.report().counters.controlIn, controlIn + 1);
    t.equal(a.news.at(-1)!.roundTripMs, undefined, 'a report that we never sent tells no time');
    for (let i = 0; i < 50; i++) a.leg.receiveControl(writeRtcp(report, 'x'), b.control, now() + 201 + i);
    t.equal(a.leg.report().counters.controlIn, controlIn + 1, 'a flood is not read');
  },
);

void t.test('the opinion is that of G.107 annex B, and worse with each loss and each delay', async (t) => {
  // R by delay alone, and the opinion that the table of annex B gives for it.
  for (const [oneWayMs, r, mos] of [
    [0, 93.2, 4.41],
    [133.3, 90, 4.34],
    [244.05, 80, 4.03],
    [318.68, 70, 3.6],
    [393.3, 60, 3.1],
    [467.93, 50, 2.58],
  ] as const) {
    const rated = rate({ lostShare: 0, oneWayMs });
    t.ok(Math.abs(rated.r - r) < 0.05 && Math.abs(rated.mos - mos) < 0.011, `${oneWayMs} ms: ${rated.r}, ${rated.mos}`);
  }
  for (let percent = 1; percent <= 100; percent++) {
    const [less, more] = [percent - 1, percent].map((p) => rate({ lostShare: p / 100, oneWayMs: 50 }));
    t.ok(more!.r < less!.r && more!.mos <= less!.mos && more!.mos >= 1);
  }
});

void t.test(
  'what arrives is counted once, in whatever order, over the end of the numbers and another beginning',
  async (t) => {
    const counters = { ...NO_COUNTERS };
    const reception = new Reception(counters);
    const come = (n: number, values: { ssrc?: number; atMs?: number } = {}) => {
      const { ssrc = 7, atMs = n * 20 } = values;
      const packet = { payloadType: 0, marker: false, sequence: (65_530 + n) & 0xffff, timestamp: n * 160 };
      reception.count({ ...packet, ssrc, payload: Buffer.alloc(160) }, 172, atMs, 8000);
    };
    for (let n = 0; n < 10; n++) come(n);
    t.match(counters, { packetsIn: 10, lostIn: 0, jitterInMs: 0 }, 'across 65535');
    come(12);
    t.equal(counters.lostIn, 2);
    come(11, { atMs: 250 });
    come(11, { atMs: 251 });
    t.match(counters, { lostIn: 1, reorderedIn: 1, duplicatesIn: 1, lateIn: 0 });
    for (let n = 13; n < 20; n++) come(n);
    come(10, { atMs: 400 });
    t.match(counters, { lostIn: 0, lateIn: 1 }, 'it came, but nobody waited so long');
    t.match(
      reception.block(400),
      { highestSequence: 65_530 + 19, fractionLost: 0, lost: -1 },
      'what came twice counts twice there',
    );
    for (let n = 0; n < 5; n++) come(n, { ssrc: 8 });
    come(9, { ssrc: 8 });
    t.equal(counters.lostIn, 4, 'of both senders');
    t.match(reception.block(500), { ssrc: 8, lost: 4, fractionLost: Math.floor((4 * 256) / 10) });
    come(20_000, { ssrc: 8 });
    t.equal(counters.lostIn, 4, 'one packet far away is no loss of thousands');
    come(20_001, { ssrc: 8 });
    come(20_002, { ssrc: 8 });
    t.match(reception.block(500), { lost: 0 }, 'two are a new beginning');
    reception.reported(8, 0x10000, 600);
    const late = reception.block(580);
    t.match(late, { lastReport: 0x10000, sinceLastReport: 0 }, 'a tick that comes late is before what it finds');
    t.ok(writeRtcp({ ssrc: 1, sender: undefined, blocks: [late!] }, 'x'));
  },
);
