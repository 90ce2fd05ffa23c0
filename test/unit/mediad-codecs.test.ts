/** Codecs, and what stands between them: proven by a tone that goes in and is looked for at the other end. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { openDecoder, openEncoder } from '../../src/mediad/media/codec/codec.ts';
import type { Codec } from '../../src/mediad/media/codec/codec-types.ts';
import { decodeG711 } from '../../src/mediad/media/codec/g711.ts';
import { G722Decoder, G722Encoder } from '../../src/mediad/media/codec/g722.ts';
import { loadOpus } from '../../src/mediad/media/codec/opus.ts';
import { Resampler } from '../../src/mediad/media/codec/resample.ts';
import { JitterBuffer } from '../../src/mediad/media/jitter-buffer.ts';
import type { SoundFrame } from '../../src/mediad/media/bridge.ts';
import type { SeatSettings } from '../../src/mediad/media/messages.ts';
import { Mixer } from '../../src/mediad/media/mixer.ts';
import { Player } from '../../src/mediad/media/player.ts';
import { readRtp, writeRtp, type RtpPacket } from '../../src/mediad/media/rtp-packet.ts';
import { SessionRecorder } from '../../src/mediad/media/session-recorder.ts';
import { mediaLeg, phoneWith } from '../support/media-leg.ts';
import { until } from '../support/processes.ts';

await loadOpus();

const PCMU: Codec = { name: 'PCMU', rate: 8000, clockRate: 8000, ptimeMs: 20 };
const codecs: readonly Codec[] = [
  PCMU,
  { name: 'PCMA', rate: 8000, clockRate: 8000, ptimeMs: 30 },
  { name: 'G722', rate: 16_000, clockRate: 8000, ptimeMs: 10 },
  { name: 'OPUS', rate: 16_000, clockRate: 48_000, ptimeMs: 40 },
  { name: 'L16', rate: 16_000, clockRate: 16_000, ptimeMs: 20 },
  { name: 'L16', rate: 8000, clockRate: 8000, ptimeMs: 60 },
];
const nameOf = ({ name, rate, ptimeMs }: Codec) => `${name}/${rate} of ${ptimeMs} ms`;

const AMPLITUDE = 8000;
const TONE_HZ = 1000;

function tone(samples: number, rate: number, from = 0, hz = TONE_HZ): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(AMPLITUDE * Math.sin((2 * Math.PI * hz * (i + from)) / rate)),
  );
}

/** Amplitude of one frequency, by Goertzel's method. */
function amplitudeOf(hz: number, samples: Int16Array, rate: number): number {
  let [re, im] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    re += sample * Math.cos((2 * Math.PI * hz * i) / rate);
    im += sample * Math.sin((2 * Math.PI * hz * i) / rate);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}

const decibels = (amplitude: number) => 20 * Math.log10(amplitude / AMPLITUDE);

/** The longest stretch that is softer than a tenth of the tone. */
function longestGapMs(samples: Int16Array, rate: number): number {
  let [longest, run] = [0, 0];
  for (const sample of samples) {
    run = Math.abs(sample) < AMPLITUDE / 10 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return (longest * 1000) / rate;
}

/** A tone as packets of a codec. */
async function tonePackets(codec: Codec, ms: number): Promise<RtpPacket[]> {
  const encoder = openEncoder(codec);
  const perPacket = (codec.rate / 1000) * codec.ptimeMs;
  await until('an encoder', () => encoder.encode(new Int16Array(perPacket)).length > 0);
  const packets: RtpPacket[] = [];
  for (let n = 0; n * codec.ptimeMs < ms; n++) {
    const payload = encoder.encode(tone(perPacket, codec.rate, n * perPacket));
    const timestamp = (n * codec.ptimeMs * codec.clockRate) / 1000;
    packets.push({ payloadType: 96, marker: n === 0, sequence: n, timestamp, ssrc: 7, payload });
  }
  encoder.close();
  return packets;
}

async function decoded(codec: Codec, packets: readonly RtpPacket[]): Promise<Int16Array> {
  const decoder = openDecoder(codec);
  await until('a decoder', () => decoder.conceal(160).length > 0);
  const all = packets.flatMap(({ payload }) => [...decoder.decode(payload)]);
  decoder.close();
  return Int16Array.from(all);
}

function aLeg(codec: Codec) {
  const sent: RtpPacket[] = [];
  const leg = mediaLeg((datagram) => void sent.push(readRtp(datagram)!));
  const phone = { address: '198.51.100.4', port: 4000 };
  leg.setRemote(phoneWith(codec, 96, phone), 0);
  return { leg, sent, hear: (packet: RtpPacket, nowMs: number) => leg.receive(writeRtp(packet), phone, nowMs) };
}

void t.test('G.722 is what the reference implementation of others makes of the same samples, bit by bit', async (t) => {
  let seed = 1;
  const samples = Int16Array.from({ length: 64_000 }, (_, i) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = Math.floor(i / 8000) % 2 === 1 ? ((seed >>> 16) % 20_000) - 10_000 : 0;
    return Math.floor(i / 16_000) === 3 ? (seed >>> 16) - 32_768 : Math.trunc(noise * 0.9);
  });
  const bytes = new G722Encoder().encode(samples);
  const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex').slice(0, 16);
  const heard = new G722Decoder().decode(bytes);
  t.equal(hash(bytes), 'f1f38319b67911bb');
  t.equal(hash(new Uint8Array(heard.buffer)), '8b5898a8b0e3ea00');
});

void t.test('a tone passes from each codec to each other: its frequency, its level, and no gap', async (t) => {
  for (const from of codecs) {
    const packets = await tonePackets(from, 1200);
    for (const to of codecs) {
      const [a, b] = [aLeg(from), aLeg(to)];
      a.leg.bridge({ takes: 'packets', push: (frame) => b.leg.hear(frame), close() {} });
      b.leg.bridge({ takes: 'packets', push() {}, close() {} });
      // Coders of Opus are made a moment later, when the first packets call for them.
      let warm = 0;
      await until('the coders', () => {
        const { payload } = packets[warm % packets.length]!;
        const timestamp = (warm * from.ptimeMs * from.clockRate) / 1000;
        a.hear({ ...packets[0]!, ssrc: 6, sequence: warm++, timestamp, payload }, 0);
        return b.sent.length > 0;
      });
      b.sent.length = 0;
      let next = 0;
      for (let nowMs = 0; nowMs < 1200; nowMs += 10) {
        while (next < packets.length && next * from.ptimeMs <= nowMs) a.hear(packets[next++]!, nowMs);
        if (nowMs % 20 === 0) b.leg.tick(nowMs);
      }
      const heard = (await decoded(to, b.sent)).subarray(to.rate * 0.2, to.rate);
      const path = `${nameOf(from)} to ${nameOf(to)}`;
      const level = decibels(amplitudeOf(TONE_HZ, heard, to.rate));
      t.ok(Math.abs(level) < 1, `${path}: ${level.toFixed(2)} dB`);
      t.ok(longestGapMs(heard, to.rate) < 40, `${path}: no gap`);
      const steps = b.sent.slice(1).map(({ sequence }, i) => (sequence - b.sent[i]!.sequence) & 0xffff);
      t.ok(
        steps.every((step) => step === 1),
        `${path}: one stream`,
      );
      a.leg.close();
      b.leg.close();
    }
  }
});

void t.test('between two legs of one codec nothing is opened: the bytes are the same', async (t) => {
  for (const codec of codecs) {
    const packets = await tonePackets(codec, 200);
    const [a, b] = [aLeg(codec), aLeg(codec)];
    a.leg.bridge({ takes: 'packets', push: (frame) => b.leg.hear(frame), close() {} });
    for (const packet of packets) a.hear(packet, packet.sequence * codec.ptimeMs);
    t.same(
      b.sent.map(({ payload }) => payload),
      packets.map(({ payload }) => payload),
      nameOf(codec),
    );
  }
});

void t.test('8 to 16 kHz and back: the tone stays, and nothing folds back', async (t) => {
  const up = new Resampler(8000, 16_000).process(tone(8000, 8000));
  t.ok(Math.abs(decibels(amplitudeOf(TONE_HZ, up.subarray(400), 16_000))) < 0.2);
  t.ok(decibels(amplitudeOf(7000, up.subarray(400), 16_000)) < -50, 'no image at 7 kHz');
  const down = new Resampler(16_000, 8000).process(tone(16_000, 16_000, 0, 5000));
  t.ok(decibels(amplitudeOf(3000, down.subarray(400), 8000)) < -50, '5 kHz is not heard as 3 kHz');
});

void t.test(
  'a jitter buffer evens out what comes unevenly, fills in what is lost, and follows a clock that drifts',
  async (t) => {
    const packets = await tonePackets(PCMU, 10_000);
    const uneven = new JitterBuffer(PCMU);
    const heard: number[] = [];
    const arrivals = packets
      .filter(({ sequence }) => sequence % 20 !== 7)
      .map((packet) => ({ packet, atMs: packet.sequence * 20 + ((packet.sequence * 7) % 5) * 6 }))
      .toSorted((a, b) => a.atMs - b.atMs);
    const frame = new Int16Array(160);
    for (let nowMs = 0; nowMs < 10_000; nowMs += 20) {
      while (arrivals[0] !== undefined && arrivals[0].atMs <= nowMs) {
        const { packet, atMs } = arrivals.shift()!;
        uneven.push(packet, atMs);
      }
      uneven.pull(frame);
      heard.push(...frame);
    }
    const samples = Int16Array.from(heard.slice(4000));
    t.ok(longestGapMs(samples, 8000) < 40);
    t.ok(uneven.counters.concealed >= 24 && uneven.counters.concealed < 40, `${uneven.counters.concealed} filled in`);

    // A sender that is 1 % fast: 100 ms more every ten seconds, which must go somewhere.
    const fast = new JitterBuffer(PCMU);
    let next = 0;
    for (let nowMs = 0; nowMs < 9800; nowMs += 20) {
      while (next < packets.length && next * 19.8 <= nowMs) fast.push(packets[next++]!, next * 19.8);
      fast.pull(frame);
    }
    t.ok(fast.counters.leftOut >= 1, `${fast.counters.leftOut} left out`);
    uneven.close();
    fast.close();
  },
);

const seat: SeatSettings = { canSpeak: true, canHear: true, gainIn: 1, gainOut: 1, energyLevel: 0, talkLevel: 100 };

/** Everybody says a tone of his own for a while; what each heard is returned. */
function confer(count: number, settings: (member: number) => SeatSettings = () => seat) {
  const talks: string[] = [];
  const mixer = new Mixer({ talking: (member, isTalking) => talks.push(`${member} ${isTalking ? 'talks' : 'rests'}`) });
  const heard: number[][] = Array.from({ length: count }, () => []);
  const pitchOf = (member: number) => 300 + member * 50;
  for (let member = 0; member < count; member++) {
    mixer.join(member, settings(member), ({ samples }: SoundFrame) => void heard[member]!.push(...samples));
  }
  const level = Math.min(1, 3 / count);
  for (let n = 0; n < 50; n++) {
    for (let member = 0; member < count; member++) {
      const samples = tone(160, 8000, n * 160, pitchOf(member)).map((sample) => sample * level);
      mixer.push(member, { samples, rate: 8000 });
    }
    mixer.tick(n * 20);
  }
  const sound = (member: number) => Int16Array.from(heard[member]!).subarray(1600);
  return {
    talks,
    level,
    sound,
    hears: (a: number, b: number) => amplitudeOf(pitchOf(b), Int16Array.from(heard[a]!), 8000),
  };
}

void t.test('in a conference of 3, 10 and 50 each hears all others at their level, and not himself', async (t) => {
  for (const count of [3, 10, 50]) {
    const { hears, level, talks, sound } = confer(count);
    t.ok(longestGapMs(sound(0), 8000) < 40, `${count}: no gap`);
    const others = [1, count - 1].map((other) => decibels(hears(0, other) / level));
    t.ok(
      others.every((loudness) => Math.abs(loudness) < 1),
      `${count}: ${others.map((loudness) => loudness.toFixed(2)).join(', ')} dB`,
    );
    t.ok(hears(0, 0) < 30 && hears(count - 1, count - 1) < 30, `${count}: nobody hears himself`);
    t.equal(talks.filter((talk) => talk.endsWith('talks')).length, count);
  }
  const { hears } = confer(3, (member) =>
    member === 0 ? { ...seat, canSpeak: false } : member === 1 ? { ...seat, canHear: false } : seat,
  );
  t.ok(hears(2, 0) < 30, 'a muted member is not heard');
  t.ok(hears(1, 2) < 30, 'a deaf one hears nothing');
  t.ok(Math.abs(decibels(hears(0, 2))) < 1, 'the muted one hears on');
});

void t.test('a session is recorded from both sides, mixed or side by side', async (t) => {
  for (const ways of ['mixed', 'stereo'] as const) {
    const written: number[] = [];
    const recorder = new SessionRecorder({
      sink: { push: (audio) => void written.push(...audio), audioBytes: 0, close: async () => {} },
      ways,
      maxMs: 60_000,
      ended() {},
    });
    const [g722] = codecs.filter(({ name }) => name === 'G722');
    const heard = await tonePackets(g722!, 1000);
    for (let n = 0; n < 50; n++) {
      for (const packet of heard.slice(2 * n, 2 * n + 2)) recorder.push('heard', g722!, packet, n * 20);
      const payload = openEncoder(PCMU).encode(tone(160, 8000, n * 160, 400));
      const said = { payloadType: 0, marker: false, sequence: n, timestamp: n * 160, ssrc: 1, payload };
      recorder.push('said', PCMU, said, n * 20);
      recorder.tick();
    }
    const samples = new Int16Array(written.length);
    decodeG711('PCMU', Uint8Array.from(written), samples);
    const channel = (first: number, step: number) => samples.filter((_, i) => i % step === first).subarray(1600);
    const [left, right] = ways === 'stereo' ? [channel(0, 2), channel(1, 2)] : [channel(0, 1), channel(0, 1)];
    t.ok(Math.abs(decibels(amplitudeOf(1000, left, 8000))) < 1, `${ways}: what the leg said`);
    t.ok(Math.abs(decibels(amplitudeOf(400, right, 8000))) < 1, `${ways}: what it heard`);
    for (const side of [left, right]) t.ok(longestGapMs(side, 8000) < 40, `${ways}: no gap`);
    if (ways === 'stereo') t.ok(amplitudeOf(400, left, 8000) < 100, 'kept apart');
  }
});

void t.test('a prompt is heard in each codec at its level and without a gap; also again after a hold', async (t) => {
  for (const codec of codecs) {
    const { leg, sent } = aLeg(codec);
    let at = 0;
    const source = (rate: number) => ({
      next: (frame: Int16Array) => {
        frame.set(tone(frame.length, rate, at));
        at += frame.length;
        return frame.length;
      },
      describe: () => 'tone',
    });
    leg.play(new Player([{ name: 'tone', open: source }], {}, { started() {}, stopped() {}, ended() {} }, codec.rate));
    let nowMs = 0;
    const talk = async (ms: number) => {
      sent.length = 0;
      for (const end = nowMs + ms; nowMs < end; nowMs += 20) leg.tick(nowMs);
      return decoded(codec, sent);
    };
    const phone = phoneWith(codec, 96, { address: '198.51.100.4', port: 4000 });
    await until('the coders', async () => (await talk(120)).length > 0);
    for (const when of ['at once', 'after a hold']) {
      const heard = (await talk(1200)).subarray(codec.rate * 0.2, codec.rate);
      const level = decibels(amplitudeOf(TONE_HZ, heard, codec.rate));
      t.ok(Math.abs(level) < 1, `${nameOf(codec)} ${when}: ${level.toFixed(2)} dB`);
      t.ok(longestGapMs(heard, codec.rate) < 40, `${nameOf(codec)} ${when}: no gap`);
      leg.setRemote({ ...phone, sendTo: undefined }, nowMs);
      t.equal((await talk(400)).length, 0, `${nameOf(codec)}: on hold nothing is sent`);
      leg.setRemote(phone, nowMs);
    }
    leg.close();
  }
});
