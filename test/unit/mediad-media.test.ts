import t from 'tap';
import { Switchboard } from '../../src/mediad/channel/switchboard.ts';
import { runApiCommand } from '../../src/mediad/event-socket/api-commands.ts';
import { MediaClock } from '../../src/mediad/media/clock.ts';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import { decodeG711, encodeG711, FRAME_SAMPLES, transcodeG711 } from '../../src/mediad/media/codec/g711.ts';
import { Latch } from '../../src/mediad/media/latch.ts';
import type { LegTransport } from '../../src/mediad/media/leg-wire.ts';
import { MediaLeg } from '../../src/mediad/media/media-leg.ts';
import type { Endpoint, RecordLimits, RemoteMedia } from '../../src/mediad/media/messages.ts';
import { Player } from '../../src/mediad/media/player.ts';
import { Recorder, type RecordResult } from '../../src/mediad/media/recorder.ts';
import { ReorderBuffer } from '../../src/mediad/media/reorder.ts';
import { writeRtcp } from '../../src/mediad/media/rtcp-packet.ts';
import { readRtp, writeRtp, type RtpPacket } from '../../src/mediad/media/rtp-packet.ts';
import { DigitReceiver, DigitSender } from '../../src/mediad/media/telephone-event.ts';
import { parseToneScript, ToneSource } from '../../src/mediad/media/tone.ts';
import { readSound, type HeldSound } from '../../src/mediad/media/files/sound-file.ts';
import { readWav } from '../../src/mediad/media/files/wav.ts';
import { HeldSource } from '../../src/mediad/media/held-source.ts';
import { loudness, toneSamples, toneShare, wavBytes } from '../support/sound.ts';

const phoneAt: Endpoint = { address: '192.0.2.7', port: 4000 };

function aPacket(values: Partial<RtpPacket> = {}): RtpPacket {
  return {
    payloadType: 0,
    marker: false,
    sequence: 1,
    timestamp: 160,
    ssrc: 7,
    payload: Buffer.alloc(160, 0xd0),
    ...values,
  };
}

/** Frames of one talk, numbered from 0. */
function frame(n: number, values: Partial<RtpPacket> = {}): RtpPacket {
  return aPacket({ sequence: (n + 65_500) & 0xffff, timestamp: n * 160, ...values });
}

class FakeTransport implements LegTransport {
  readonly sent: { packet: RtpPacket; to: Endpoint }[] = [];
  readonly connected: Endpoint[] = [];
  send(datagram: Buffer, to: Endpoint): void {
    this.sent.push({ packet: readRtp(datagram)!, to });
  }
  sendControl(): void {}
  connect(to: Endpoint): void {
    this.connected.push(to);
  }
  disconnect(): void {}
  close(): void {}
  get audio(): Int16Array {
    const payload = Buffer.concat(
      this.sent.filter(({ packet }) => packet.payloadType === 0).map(({ packet }) => packet.payload),
    );
    const samples = new Int16Array(payload.length);
    decodeG711('PCMU', payload, samples);
    return samples;
  }
}

const remote: RemoteMedia = {
  codec: PCMU,
  payloadType: 0,
  events: { payloadType: 101, clockRate: 8000 },
  sendTo: phoneAt,
  alsoFrom: [],
  control: undefined,
  noise: undefined,
  srtp: undefined,
  isReceiving: true,
};

function aLeg(changes: Partial<RemoteMedia> = {}) {
  const transport = new FakeTransport();
  const digits: string[] = [];
  const silences: number[] = [];
  const events = {
    digit: ({ digit }: { digit: string }) => digits.push(digit),
    silent: (ms: number) => silences.push(ms),
    measured() {},
    reported() {},
  };
  const leg = new MediaLeg({ transport, events, silenceMs: 5000, nowMs: 0 });
  leg.setRemote({ ...remote, ...changes }, 0);
  const hear = (packet: RtpPacket, nowMs = 0, from = phoneAt) => leg.receive(writeRtp(packet), from, nowMs);
  return { transport, digits, silences, leg, hear };
}

void t.test('G.711: the values of ITU-T G.711, and every code survives a round trip', async (t) => {
  const codes = Uint8Array.from([0x00, 0x80, 0x7f, 0xff]);
  const samples = new Int16Array(4);
  decodeG711('PCMU', codes, samples);
  t.same([...samples], [-32_124, 32_124, 0, 0]);
  decodeG711('PCMA', Uint8Array.from([0x2a, 0xaa, 0x55, 0xd5]), samples);
  t.same([...samples.subarray(0, 4)], [-32_256, 32_256, -8, 8]);
  for (const law of ['PCMU', 'PCMA'] as const) {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const linear = new Int16Array(256);
    decodeG711(law, all, linear);
    const back = new Uint8Array(256);
    encodeG711(law, linear, back);
    const changed = [...all].filter((code) => back[code] !== code);
    t.same(changed, law === 'PCMU' ? [0x7f] : [], 'µ-law has two zeros');
  }
});

void t.test('a tone stays a tone from one law to the other', async (t) => {
  const bytes = new Uint8Array(1600);
  encodeG711('PCMU', toneSamples(1000, 1600), bytes);
  transcodeG711('PCMU', bytes);
  const samples = new Int16Array(1600);
  decodeG711('PCMA', bytes, samples);
  t.ok(toneShare(samples, 1000) > 0.99);
});

void t.test('tone scripts: level, pauses, loops and refusals', async (t) => {
  const busy = new ToneSource(parseToneScript('v=-13;%(100,100,480,620);loops=2')!);
  const samples = new Int16Array(8000);
  t.equal(busy.next(samples), 3200);
  t.ok(toneShare(samples.subarray(0, 800), 480) > 0.4);
  t.equal(loudness(samples.subarray(800, 1600)), 0);
  t.ok(Math.abs(loudness(samples.subarray(0, 800)) - (32_767 * 10 ** (-13 / 20)) / 2) < 200);
  const endless = new ToneSource(parseToneScript('%(2000,4000,440,480);loops=-1')!);
  for (let second = 0; second < 60; second++) t.equal(endless.next(samples), 8000);
  for (const wrong of [
    '',
    'loops=3',
    '%(1,2)',
    '%(0,0,400)',
    '%(1,2,9000)',
    '%(9999999,0,400)',
    'c=2;%(1,1,400)',
    '%(1e9,1,2)',
  ]) {
    t.equal(parseToneScript(wrong), undefined, wrong);
  }
});

void t.test('WAV: 8 kHz as it is, 16 kHz halved without folding back, offsets, refusals', async (t) => {
  const low = await held(wavBytes({ rateHz: 8000, samples: toneSamples(700, 2000) }));
  const samples = new Int16Array(4000);
  t.equal(new HeldSource(low, 'low').next(samples), 2000);
  t.same(samples.subarray(0, 2000), toneSamples(700, 2000));
  t.equal(new HeldSource(low, 'low', { offsetSamples: 1500 }).next(samples), 500);
  t.equal(new HeldSource(low, 'music', { isEndless: true }).next(samples), 4000);
  t.same(samples.subarray(2000), samples.subarray(0, 2000));
  const empty = { rate: 8000, samples: new Int16Array(0) } as const;
  t.equal(new HeldSource(empty, 'nothing', { isEndless: true }).next(samples), 0);
  const two = Int16Array.from({ length: 16_000 }, (_, i) =>
    Math.round(6000 * Math.sin((2 * Math.PI * 1000 * i) / 16_000) + 6000 * Math.sin((2 * Math.PI * 5000 * i) / 16_000)),
  );
  const wide = await held(wavBytes({ rateHz: 16_000, samples: two }));
  const source = new HeldSource(wide, 'wide');
  const halved = new Int16Array(8000);
  for (let at = 0; at < 8000; at += 160) t.equal(source.next(halved.subarray(at, at + 160)), 160);
  t.equal(source.next(halved.subarray(0, 160)), 0);
  const middle = halved.subarray(400, 7600);
  t.ok(toneShare(middle, 1000) > 0.999, '1 kHz stays');
  t.ok(toneShare(middle, 3000) < 0.0001, '5 kHz does not come back as 3 kHz');
  const stereo = wavBytes({ rateHz: 8000, samples: toneSamples(700, 20) });
  stereo.writeUInt16LE(2, 22);
  t.match(readWav(stereo), { kind: 'refused', reason: /channels/ });
  t.match(readWav(wavBytes({ rateHz: 44_000, samples: toneSamples(700, 20) })), { kind: 'refused', reason: /44000/ });
  t.match(readWav(Buffer.from('ID3 not a wav file')), { kind: 'refused', reason: /not a WAV/ });
  const cut = wavBytes({ rateHz: 8000, samples: toneSamples(700, 2000) }).subarray(0, 144);
  t.match(readWav(cut), { kind: 'read', samples: { length: 50 } });
});

async function held(file: Buffer): Promise<HeldSound> {
  const result = await readSound(file);
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.sound;
}

void t.test('RTP: what is not RTP is left alone', async (t) => {
  const whole = writeRtp(aPacket({ marker: true, sequence: 65_535, timestamp: 0xffffffff, ssrc: 0xdeadbeef }));
  t.match(readRtp(whole), { marker: true, sequence: 65_535, timestamp: 0xffffffff, ssrc: 0xdeadbeef });
  const padded = Buffer.concat([whole, Buffer.from([0, 0, 3])]);
  padded[0] = 0xa0;
  t.equal(readRtp(padded)?.payload.length, 160);
  const extended = Buffer.concat([whole.subarray(0, 12), Buffer.from([0, 1, 0, 1, 9, 9, 9, 9]), whole.subarray(12)]);
  extended[0] = 0x90;
  t.equal(readRtp(extended)?.payload.length, 160);
  const rtcp = Buffer.from(whole);
  rtcp[1] = 203;
  const tooLong = Buffer.from(whole);
  tooLong[0] = 0x9f;
  padded[padded.length - 1] = 255;
  for (const wrong of [Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(200), rtcp, tooLong.subarray(0, 40), padded]) {
    t.equal(readRtp(wrong), undefined);
  }
});

void t.test('one press is one digit, whatever happens to its packets', async (t) => {
  const press = (digit: number, timestamp: number) =>
    [1, 2, 3, 4, 5, 5, 5].map((step, i) => event(digit, timestamp, step * 160, i > 3));
  const cases: Record<string, { packets: ReturnType<typeof event>[]; expect: string }> = {
    'as it should be': { packets: press(5, 1000), expect: '5' },
    'all end packets lost, then the next press': {
      packets: [...press(1, 1000).slice(0, 4), ...press(2, 3000)],
      expect: '12',
    },
    'only an end packet arrives': { packets: press(9, 1000).slice(-1), expect: '9' },
    'everything twice': { packets: press(3, 1000).flatMap((p) => [p, p]), expect: '3' },
    'stragglers of the press before': {
      packets: [...press(3, 1000), ...press(4, 5000), ...press(3, 1000)],
      expect: '34',
    },
    'the same key twice': { packets: [...press(7, 1000), ...press(7, 4000)], expect: '77' },
    'over the end of the timestamps': { packets: [...press(7, 0xfffffff0), ...press(8, 2000)], expect: '78' },
    'a flash is no digit': { packets: press(16, 1000), expect: '' },
  };
  for (const [name, { packets, expect }] of Object.entries(cases)) {
    const heard: string[] = [];
    const receiver = new DigitReceiver(({ digit }) => heard.push(digit));
    for (const packet of packets) receiver.push(packet, 0);
    receiver.tick(10_000);
    receiver.close();
    t.equal(heard.join(''), expect, name);
  }
  const heard: number[] = [];
  const receiver = new DigitReceiver(({ durationSamples }) => heard.push(durationSamples));
  receiver.push(event(1, 1000, 320, false), 0);
  receiver.tick(200);
  t.same(heard, [], 'still held');
  receiver.tick(251);
  t.same(heard, [320], 'ended by silence');
});

function event(code: number, timestamp: number, duration: number, isEnd: boolean) {
  const payload = Buffer.from([code, isEnd ? 0x8a : 0x0a, 0, 0]);
  payload.writeUInt16BE(duration, 2);
  return { ssrc: 1, timestamp, payload };
}

void t.test('digits that we send are understood by our own ear', async (t) => {
  const sender = new DigitSender();
  sender.queue('12#x', 800);
  const heard: string[] = [];
  const receiver = new DigitReceiver(({ digit, durationSamples }) => heard.push(`${digit}${durationSamples}`));
  for (let now = 160; sender.isSending; now += 160) {
    const next = sender.next();
    if (next !== undefined)
      receiver.push({ ssrc: 1, timestamp: now - next.sinceStart, payload: next.payload }, now / 8);
  }
  t.same(heard, ['1800', '2800', '#800']);
});

void t.test('packets come out in order; a lost one is waited for 60 ms of audio and no longer', async (t) => {
  const order: number[] = [];
  const buffer = new ReorderBuffer((packet) => order.push(packet.timestamp / 160));
  for (const n of [0, 2, 1, 1, 3, 3, 5, 6, 7, 8, 4, 9]) buffer.push(frame(n));
  t.same(order, [0, 1, 2, 3, 5, 6, 7, 8, 9], '4 came too late');
  buffer.push(aPacket({ ssrc: 99, sequence: 5, timestamp: 1600 }));
  t.same(order.at(-1), 10, 'a new source begins anew');
});

void t.test('the latch: to the signalled place whenever it speaks, else once, and never to a stranger', async (t) => {
  const stranger = { address: '203.0.113.9', port: 4000 };
  const otherPort = { address: phoneAt.address, port: 4444 };
  const closed: Endpoint[] = [];
  const latch = new Latch(phoneAt, ['198.51.100.1'], (source) => closed.push(source));
  t.notOk(latch.accept(stranger, 0));
  t.same(latch.target, phoneAt);
  t.notOk(latch.accept(otherPort, 10), 'it may be another phone of that host: not heard');
  t.same(latch.target, phoneAt, 'nor sent to');
  t.notOk(latch.accept({ address: '198.51.100.1', port: 9 }, 20), 'one candidate only');
  t.notOk(latch.accept(otherPort, 209));
  t.ok(latch.accept(otherPort, 210), 'nobody else speaks');
  t.same(latch.target, otherPort);
  t.notOk(latch.accept({ address: '198.51.100.1', port: 9 }, 220));
  t.same(closed, [], 'but it is not for good');
  t.ok(latch.couldAccept(phoneAt) && latch.accept(phoneAt, 5000), 'the signalled place is right whenever it speaks');
  t.same(latch.target, phoneAt);
  t.same(closed, [phoneAt]);
  t.notOk(latch.accept(otherPort, 5010));
  t.notOk(latch.couldAccept(otherPort));
  const behindNat = new Latch(phoneAt, ['198.51.100.1'], (source) => closed.push(source));
  const mapped = { address: '198.51.100.1', port: 31_000 };
  t.ok(behindNat.accept(mapped, 0), 'the other host is that of a NAT: heard at once');
  t.same(behindNat.target, mapped);
  t.ok(behindNat.accept(mapped, 200));
  t.notOk(behindNat.accept({ ...mapped, port: 31_002 }, 210));
  t.same(closed, [phoneAt]);
  const young = new Latch(phoneAt, [], (source) => closed.push(source));
  t.notOk(young.accept({ address: phoneAt.address, port: 0 }, 0), 'nobody can be answered at port 0');
  t.same(young.target, phoneAt);
});

void t.test('RTP bleed: a stranger hears nothing and is not heard, before and after', async (t) => {
  const { transport, leg, hear } = aLeg();
  const stranger = { address: '203.0.113.9', port: 4000 };
  const got: number[] = [];
  leg.bridge({ takes: 'packets', push: (f) => f.kind === 'audio' && got.push(f.timestamp), close() {} });
  for (let n = 0; n < 50; n++) {
    hear(frame(n, { timestamp: 7 }), n * 20, stranger);
    leg.tick(n * 20);
    if (n > 10) hear(frame(n), n * 20);
  }
  t.notOk(got.includes(7));
  t.equal(got.length, 39);
  t.ok(transport.sent.every(({ to }) => to.address === phoneAt.address));
  t.match(leg.report().counters, { foreignIn: 50, packetsIn: 39 });
});

void t.test('a leg sends one steady stream through silence, prompt, bridge and digits', async (t) => {
  const { transport, leg } = aLeg();
  let nowMs = 0;
  const ticks = (count: number) => {
    for (let i = 0; i < count; i++) leg.tick((nowMs += 20));
  };
  ticks(3);
  const ended: number[] = [];
  leg.play(
    new Player(
      [{ name: 'tone', open: () => new ToneSource(parseToneScript('%(90,0,500)')!) }],
      {},
      {
        started() {},
        stopped() {},
        ended: (samples) => ended.push(samples),
      },
    ),
  );
  ticks(6);
  t.same(ended, [720]);
  const { leg: other, hear } = aLeg();
  other.bridge({ takes: 'packets', push: (f) => leg.hear(f), close() {} });
  leg.bridge({ takes: 'packets', push() {}, close() {} });
  for (let n = 0; n < 5; n++) {
    if (n !== 2) hear(frame(n, { ssrc: 42 }), nowMs);
    ticks(1);
  }
  leg.unbridge();
  leg.sendDigits('1', 320);
  ticks(12);
  // The same talk goes on after our own frames: it must not use their numbers again.
  other.bridge({ takes: 'packets', push: (f) => leg.hear(f), close() {} });
  for (let n = 6; n < 9; n++) hear(frame(n, { ssrc: 42 }), nowMs);
  const packets = transport.sent.map(({ packet }) => packet);
  t.equal(new Set(packets.map((packet) => packet.ssrc)).size, 1);
  const steps = packets.slice(1).map((packet, i) => (packet.sequence - packets[i]!.sequence) & 0xffff);
  t.equal(steps.filter((step) => step === 2).length, 1, 'the lost packet stays a gap');
  t.ok(steps.every((step) => step === 1 || step === 2));
  const audioSteps = packets
    .filter((packet) => packet.payloadType === 0)
    .map((packet) => packet.timestamp)
    .map((timestamp, i, all) => (i === 0 ? 160 : (timestamp - all[i - 1]!) | 0));
  t.ok(
    audioSteps.every((step) => step >= 0 && step % 160 === 0),
    'time runs forward',
  );
  t.equal(packets.filter((packet) => packet.payloadType === 101).length, 4);
});

void t.test('a bridge whose other side pauses is silence, not nothing', async (t) => {
  const { transport, leg } = aLeg();
  leg.bridge({ takes: 'packets', push() {}, close() {} });
  for (let nowMs = 20; nowMs <= 1000; nowMs += 20) leg.tick(nowMs);
  t.equal(transport.sent.length, 40, '200 ms of grace');
  t.ok(transport.audio.every((sample) => sample === 0));
});

void t.test(
  'who hears nobody speak hears the background, without a gap; who takes comfort noise is sent it',
  async (t) => {
    for (const noise of [undefined, 13]) {
      const a = aLeg();
      const b = aLeg({ noise });
      a.leg.bridge({ takes: 'packets', push: (f) => b.leg.hear(f), close() {} });
      b.leg.bridge({ takes: 'packets', push: (f) => a.leg.hear(f), close() {} });
      const sentAt: number[] = [];
      const pass = (from: number, to: number) => {
        for (let nowMs = from; nowMs < to; nowMs += 20) {
          const before = b.transport.sent.length;
          b.leg.tick(nowMs);
          if (b.transport.sent.length > before) sentAt.push(nowMs);
        }
      };
      a.hear(frame(0), 0);
      // -50 dBov, and then nothing for three seconds.
      a.hear(frame(1, { payloadType: 13, payload: Buffer.from([50, 1, 2]) }), 20);
      pass(40, 3040);
      const gaps = sentAt.slice(1).map((atMs, i) => atMs - sentAt[i]!);
      t.ok(Math.max(...gaps) <= (noise === undefined ? 20 : 200), `no gap: ${Math.max(...gaps)} ms`);
      const quiet = b.transport.sent.slice(1).map(({ packet }) => packet);
      if (noise === undefined) {
        t.ok(Math.abs(loudness(b.transport.audio.subarray(160)) - 104) < 12, 'as loud as it was said');
      } else {
        t.ok(quiet.every(({ payloadType, payload }) => payloadType === 13 && payload.equals(Buffer.of(50))));
      }
      const steps = quiet.slice(1).map(({ sequence }, i) => (sequence - quiet[i]!.sequence) & 0xffff);
      t.ok(steps.every((step) => step === 1));
      const before = b.transport.sent.length;
      a.hear(frame(152), 3040);
      pass(3060, 3160);
      const again = b.transport.sent.slice(before).map(({ packet }) => packet);
      t.match(again[0], { payloadType: 0, marker: true }, 'speech begins with the marker');
      t.equal(again.filter(({ payload }) => payload.length === 1).length, 0, 'and then it is not quiet any more');
    }
  },
);

void t.test('a phone that has gone quiet is known to be there by its reports', async (t) => {
  const { leg, hear, silences } = aLeg({ control: 'muxed' });
  const report = (nowMs: number) =>
    leg.receive(writeRtcp({ ssrc: 7, sender: undefined, blocks: [] }, 'x'), phoneAt, nowMs);
  hear(frame(0), 0);
  hear(frame(1, { payloadType: 13, payload: Buffer.from([60]) }), 20);
  for (let nowMs = 40; nowMs < 20_000; nowMs += 20) {
    if (nowMs % 4000 === 0) report(nowMs);
    leg.tick(nowMs);
  }
  t.same(silences, []);
  hear(frame(1000), 20_000);
  for (let nowMs = 20_020; nowMs < 26_000; nowMs += 20) {
    if (nowMs % 4000 === 0) report(nowMs);
    leg.tick(nowMs);
  }
  t.equal(silences.length, 1, 'who speaks is heard, or is gone');
});

void t.test('digits pass a bridge and are reported; a muted leg is silent to both', async (t) => {
  const { leg, hear, digits } = aLeg();
  const passed: string[] = [];
  leg.bridge({
    takes: 'packets',
    push: (f) => {
      if (f.kind !== 'quiet') passed.push(f.kind === 'press' ? `press ${f.digit}` : `${f.kind}${f.payload[0]}`);
    },
    close() {},
  });
  const { payload } = event(5, 160, 160, true);
  hear(aPacket({ payloadType: 101, payload }));
  t.same(digits, ['5']);
  t.same(passed, ['digit5', 'press 5'], 'as it came, and whole for a leg that speaks otherwise');
  leg.mute('read', true);
  hear(frame(1));
  t.equal(passed.at(-1), 'audio255', 'silence instead of speech');
});

void t.test('a phone that falls silent is reported for as long as it is, and anew after it came back', async (t) => {
  const { leg, hear, silences } = aLeg();
  hear(frame(0), 100);
  for (let nowMs = 0; nowMs < 20_000; nowMs += 20) leg.tick(nowMs);
  t.same(silences, [5000, 10_000, 15_000]);
  hear(frame(1), 20_000);
  for (let nowMs = 20_000; nowMs < 26_000; nowMs += 20) leg.tick(nowMs);
  t.same(silences.slice(3), [5000]);
  const held = aLeg({ isReceiving: false });
  for (let nowMs = 0; nowMs < 20_000; nowMs += 20) held.leg.tick(nowMs);
  t.same(held.silences, [], 'not while it is on hold');
});

void t.test('the chain tells what it does', async (t) => {
  const { leg, hear } = aLeg();
  hear(frame(0));
  leg.record(aRecorder().recorder);
  t.equal(
    leg.describe(),
    'in: latch(latched) -> dtmf + reorder(60ms) -> record(PCMU) -> seal; out: silence -> encode(PCMU) -> rtp',
  );
});

function aRecorder(limits: Partial<RecordLimits> = {}) {
  const written: number[] = [];
  const results: RecordResult[] = [];
  const recorder = new Recorder({
    sink: { push: (audio) => written.push(...audio), audioBytes: 0, close: async () => {} },
    law: 'PCMU',
    limits: { maxMs: Infinity, silenceLevel: 0, silenceMs: 3000, ...limits },
    nowMs: 0,
    ended: (result) => results.push(result),
  });
  return { recorder, written, results };
}

void t.test('a recording keeps its length: losses, pauses and silence suppression become silence', async (t) => {
  const { recorder, written } = aRecorder();
  const push = (n: number, nowMs: number) =>
    recorder.push({ timestamp: n * 160, payload: Buffer.alloc(160, 1), law: 'PCMU' }, nowMs);
  push(0, 20);
  push(3, 80);
  t.equal(written.length, 640);
  t.equal(written.filter((byte) => byte === 0xff).length, 320);
  for (let nowMs = 80; nowMs <= 5000; nowMs += 20) recorder.tick(nowMs);
  t.equal(written.length, 4000 * 8, 'one second behind the clock while nothing comes');
  push(250, 5020);
  t.equal(written.length, 251 * 160, 'what comes after the pause stands where it was said');
  recorder.push({ timestamp: 0x7000_0000, payload: Buffer.alloc(160, 1), law: 'PCMU' }, 5040);
  t.ok(written.length < 6000 * 8, 'a jump of the sender is not an hour of silence');
  recorder.close('stopped');
  push(251, 5060);
  t.ok(written.length < 6000 * 8);
});

void t.test('a recording ends by time, by silence, or by what comes first', async (t) => {
  const timed = aRecorder({ maxMs: 1000 });
  for (let nowMs = 0; nowMs <= 1200; nowMs += 20) timed.recorder.tick(nowMs);
  timed.recorder.close('stopped');
  await new Promise(setImmediate);
  t.match(timed.results, [{ ending: 'timeLimit' }]);
  const hasty = aRecorder({ maxMs: 1000 });
  for (let n = 0; n < 500; n++) {
    hasty.recorder.push({ timestamp: n * 160, payload: Buffer.alloc(160, 1), law: 'PCMU' }, n);
  }
  await new Promise(setImmediate);
  t.match(hasty.results, [{ ending: 'timeLimit', samples: 8000 }], 'who sends ten times too fast');
  t.equal(hasty.written.length, 8000);
  const quiet = aRecorder({ silenceLevel: 200, silenceMs: 1000 });
  const loud = new Uint8Array(160);
  encodeG711('PCMU', toneSamples(400, FRAME_SAMPLES), loud);
  for (let n = 0; n < 100; n++) {
    quiet.recorder.push(
      { timestamp: n * 160, payload: n < 30 ? loud : new Uint8Array(160).fill(0xff), law: 'PCMU' },
      n * 20,
    );
  }
  await new Promise(setImmediate);
  t.match(quiet.results, [{ ending: 'silence', samples: 80 * 160 }]);
});

void t.test('the clock keeps 50 ticks a second when its timers are late, and gives up a long standstill', async (t) => {
  let nowMs = 0;
  let run: (() => void) | undefined;
  let ticks = 0;
  const clock = new MediaClock(20, () => void (ticks += 1), {
    now: () => nowMs,
    setTimeout: (next, delayMs) => {
      run = next;
      nowMs += delayMs + 7;
    },
  });
  clock.start();
  for (let wakes = 0; wakes < 500; wakes++) run?.();
  t.ok(nowMs > 5000 && Math.abs(ticks - nowMs / 20) <= 1.5, `${ticks} ticks in ${nowMs} ms`);
  nowMs += 60_000;
  const before = ticks;
  run?.();
  run?.();
  t.ok(ticks - before < 10, 'no burst of 3000 frames');
  clock.stop();
});

void t.test('a clock that is stopped and started at once still has one timer', async (t) => {
  const timers: (() => void)[] = [];
  const clock = new MediaClock(20, () => {}, { now: () => 0, setTimeout: (run) => timers.push(run) });
  clock.start();
  for (let calls = 0; calls < 10; calls++) {
    clock.stop();
    clock.start();
  }
  t.equal(timers.length, 1);
  timers.shift()?.();
  t.equal(timers.length, 1);
  clock.stop();
  timers.shift()?.();
  t.equal(timers.length, 0);
});

void t.test('how long it has been up is measured, not read off the calendar', async (t) => {
  let nowMs = 7;
  const switchboard = new Switchboard({
    maxChannels: 1,
    unattendedMs: 1000,
    hold: [],
    profile: 'drachtio_mrf',
    sipAddress: () => '127.0.0.1:5080',
    tlsAddress: () => undefined,
    monotonicMs: () => nowMs,
  });
  t.teardown(() => switchboard.close());
  nowMs += 3_725_900;
  const status = await runApiCommand('status', { switchboard } as Parameters<typeof runApiCommand>[1]);
  t.match(status, /^UP 0 years, 0 days, 1 hours, 2 minutes, 5 seconds\n/);
});
