/** What is listened for on a leg: digits in the sound, tones of networks and fax machines, silence, and who seems to have answered. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openEncoder, PCMU } from '../../src/mediad/media/codec/codec.ts';
import { decodeG711 } from '../../src/mediad/media/codec/g711.ts';
import type { Codec } from '../../src/mediad/media/codec/codec-types.ts';
import { Resampler } from '../../src/mediad/media/codec/resample.ts';
import { readSound } from '../../src/mediad/media/files/sound-file.ts';
import { DETECTOR_FRAME, type Detector, type HeardSound } from '../../src/mediad/media/hearing/detector.ts';
import { DtmfDetector } from '../../src/mediad/media/hearing/dtmf.ts';
import { Ears } from '../../src/mediad/media/hearing/ears.ts';
import { AnswerDetector, LevelDetector } from '../../src/mediad/media/hearing/loudness.ts';
import { ProgressDetector, ToneDetector } from '../../src/mediad/media/hearing/tones.ts';
import { readRtp, writeRtp } from '../../src/mediad/media/rtp-packet.ts';
import { DigitReceiver, DigitSender, type DigitPress } from '../../src/mediad/media/telephone-event.ts';
import { Dice } from '../fuzz/mutator.ts';
import { mediaLeg, phoneWith } from '../support/media-leg.ts';

const LOW = [697, 770, 852, 941];
const HIGH = [1209, 1336, 1477, 1633];
const KEYS = '123A456B789C*0#D';
const prompts = join(import.meta.dirname, '../../src/mediad/prompts');

/** Some tones at once, each of this amplitude. */
function tones(ms: number, hz: readonly number[], amplitude: number | readonly number[] = 4000): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, i) =>
    Math.round(
      hz.reduce((sum, frequency, n) => {
        const own = typeof amplitude === 'number' ? amplitude : amplitude[n]!;
        return sum + own * Math.sin((2 * Math.PI * frequency * i) / 8000);
      }, 0),
    ),
  );
}

const silence = (ms: number) => new Int16Array(ms * 8);

function noise(ms: number, amplitude: number): Int16Array {
  const dice = new Dice(7);
  return Int16Array.from({ length: ms * 8 }, () => dice.below(2 * amplitude) - amplitude);
}

function together(...pieces: readonly Int16Array[]): Int16Array {
  return Int16Array.from(pieces.flatMap((samples) => Array.from(samples)));
}

function mixed(a: Int16Array, b: Int16Array): Int16Array {
  return a.map((sample, i) => sample + (b[i] ?? 0));
}

function heardBy(detector: Detector, samples: Int16Array): HeardSound[] {
  const heard: HeardSound[] = [];
  const padded = together(samples, silence(100));
  for (let at = 0; at + DETECTOR_FRAME <= padded.length; at += DETECTOR_FRAME) {
    const sound = detector.push(padded.subarray(at, at + DETECTOR_FRAME));
    if (sound !== undefined) heard.push(sound);
  }
  return heard;
}

const digitsIn = (samples: Int16Array) =>
  heardBy(new DtmfDetector(), samples)
    .map((sound) => (sound.kind === 'digit' ? sound.digit : '?'))
    .join('');

const pair = (key: string, ratio = 1) => {
  const index = KEYS.indexOf(key);
  return [LOW[index >> 2]! * ratio, HIGH[index % 4]! * ratio];
};

void t.test('every key is heard, at any moment of the frame, loud and soft, as short as 40 ms', async (t) => {
  for (const amplitude of [400, 4000, 14_000]) {
    const sound = together(
      ...[...'123A456B789C*0#D'.split('')].flatMap((key) => [tones(50, pair(key), amplitude), silence(50)]),
    );
    t.equal(digitsIn(sound), KEYS, `amplitude ${amplitude}`);
  }
  for (let shift = 0; shift < 20; shift += 3)
    t.equal(digitsIn(together(silence(shift), tones(40, pair('7')), silence(40), tones(40, pair('7')))), '77');
});

void t.test('a press has its length, also a long one', async (t) => {
  for (const ms of [60, 200, 3000]) {
    const [heard] = heardBy(new DtmfDetector(), together(silence(33), tones(ms, pair('5'))));
    const durationMs = heard?.kind === 'digit' ? heard.durationMs : 0;
    t.ok(Math.abs(durationMs - ms) <= 26, `${ms}: ${durationMs}`);
  }
});

void t.test(
  'as standards want it: off by 1.5 %, with twist and noise; not off by 4 %, too short, or with a third tone',
  async (t) => {
    for (const ratio of [0.985, 1.015]) t.equal(digitsIn(tones(100, pair('6', ratio))), '6', `${ratio}`);
    t.equal(digitsIn(tones(100, pair('6'), [6000, 6000 / 10 ** (6 / 20)])), '6', 'the low one 6 dB louder');
    t.equal(digitsIn(tones(100, pair('6'), [6000 / 10 ** (3 / 20), 6000])), '6', 'the high one 3 dB louder');
    t.equal(digitsIn(mixed(tones(100, pair('6')), noise(100, 1500))), '6', '15 dB above noise');
    for (const ratio of [0.955, 1.045]) t.equal(digitsIn(tones(200, pair('6', ratio))), '', `${ratio}`);
    t.equal(digitsIn(tones(200, pair('6'), [6000, 1500])), '', '12 dB of twist');
    t.equal(digitsIn(tones(20, pair('6'))), '', '20 ms');
    t.equal(digitsIn(tones(200, [...pair('6'), 600])), '');
    t.equal(digitsIn(tones(200, [770])), '');
    t.equal(digitsIn(noise(5000, 9000)), '');
  },
);

void t.test('no word of the prompts is taken for a key', async (t) => {
  let seconds = 0;
  const wrong: string[] = [];
  for (const name of readdirSync(prompts, { recursive: true, encoding: 'utf8' })) {
    if (!/8000\/.*\.wav$|\.opus$/.test(name)) continue;
    const read = await readSound(readFileSync(join(prompts, name)));
    if (read.kind === 'refused') throw new Error(read.reason);
    const { rate, samples } = read.sound;
    const narrow = new Resampler(rate, 8000).process(samples.subarray(0, samples.length & ~1));
    seconds += narrow.length / 8000;
    const heard = digitsIn(narrow);
    if (heard !== '') wrong.push(`${name}: ${heard}`);
  }
  t.ok(seconds > 300, `${seconds.toFixed(0)} s of speech and music`);
  t.same(wrong, []);
});

const namesIn = (samples: Int16Array) =>
  heardBy(new ProgressDetector(), samples).map((sound) => (sound.kind === 'tone' ? sound.name : '?'));

void t.test('busy, reorder, special information and fax are told apart', async (t) => {
  const beat = (hz: readonly number[], onMs: number, offMs: number, times: number) =>
    together(...Array.from({ length: times }, () => [tones(onMs, hz), silence(offMs)]).flat());
  const sit = together(tones(330, [950]), tones(330, [1400]), tones(330, [1800]));
  const cases: readonly (readonly [string, Int16Array, string[]])[] = [
    ['busy here', beat([480, 620], 500, 500, 2), ['BUSY_TONE']],
    ['busy there', beat([425], 480, 480, 2), ['BUSY_TONE']],
    ['reorder', beat([480, 620], 250, 250, 2), ['REORDER_TONE']],
    ['SIT', sit, ['SIT']],
    ['SIT after a pause', together(silence(711), sit), ['SIT']],
    ['CED', tones(2000, [2100]), ['CED_TONE']],
    ['CNG', beat([1100], 500, 3000, 1), ['CNG_TONE']],
    ['ringing', beat([440, 480], 2000, 4000, 2), []],
    ['dial tone', tones(5000, [350, 440]), []],
    ['one beep of busy', together(tones(500, [480, 620]), silence(3000)), []],
    ['SIT the wrong way round', together(tones(330, [1800]), tones(330, [1400]), tones(330, [950])), []],
    ['noise', noise(5000, 8000), []],
  ];
  for (const [what, samples, names] of cases) t.same(namesIn(together(silence(40), samples)), names, what);
});

void t.test('tone_detect hears its frequencies, all of them, as often as it should', async (t) => {
  const beep = (hz: number[]) => together(tones(150, hz), silence(200));
  const heard = (samples: Int16Array, hits = 1) =>
    heardBy(new ToneDetector('mine', [1000, 1500], hits), samples).length;
  t.equal(heard(beep([1000, 1500])), 1);
  t.equal(heard(beep([1000])), 0);
  t.equal(heard(beep([1000, 1400])), 0);
  t.equal(heard(together(beep([1000, 1500]), beep([1000, 1500])), 3), 0);
  t.equal(heard(together(beep([1000, 1500]), beep([1000, 1500]), beep([1000, 1500])), 3), 1);
});

void t.test('silence is waited for, after speech where that is wanted; sound too', async (t) => {
  const wish = { kind: 'level', threshold: 200, frames: 10 } as const;
  const when = (wanted: 'silence' | 'audio', afterLoud: number, samples: Int16Array) => {
    const detector = new LevelDetector({ ...wish, wanted, afterLoud });
    for (let at = 0; at + DETECTOR_FRAME <= samples.length; at += DETECTOR_FRAME)
      if (detector.push(samples.subarray(at, at + DETECTOR_FRAME)) !== undefined) return at / 8;
    return undefined;
  };
  const speech = together(silence(1000), noise(1000, 4000), silence(1000));
  t.equal(when('silence', 0, speech), 180);
  t.equal(when('silence', 5, speech), 2180);
  t.equal(when('audio', 0, speech), 1180);
  t.equal(when('silence', 51, speech), undefined);
});

void t.test(
  'a word and a pause is a human, a long greeting and a beep are a mailbox, the rest is unsure',
  async (t) => {
    const hint = (samples: Int16Array) => {
      const [heard] = heardBy(new AnswerDetector(), samples);
      return heard?.kind === 'answer' ? heard.hint : undefined;
    };
    const talk = (ms: number) => noise(ms, 5000);
    t.equal(hint(together(silence(500), talk(700), silence(1000))), 'human');
    t.equal(hint(together(talk(400), silence(300), talk(400), silence(1000))), 'human', 'two words');
    t.equal(hint(together(silence(200), talk(2000), silence(300), talk(3000))), 'mailbox');
    t.equal(hint(together(talk(900), silence(300), tones(400, [1013]), silence(1000))), 'mailbox', 'a beep');
    t.equal(hint(together(talk(2500), silence(1000))), 'unsure');
    t.equal(hint(silence(9000)), 'unsure', 'nothing at all');
    t.equal(hint(together(talk(500), silence(200))), undefined, 'too early to say');
  },
);

void t.test('a leg decodes what it says only while somebody listens, in any codec', async (t) => {
  for (const codec of [
    { name: 'PCMA', rate: 8000, clockRate: 8000, ptimeMs: 20 },
    { name: 'G722', rate: 16_000, clockRate: 8000, ptimeMs: 20 },
  ] as const satisfies readonly Codec[]) {
    const ears = new Ears();
    const heard: HeardSound[] = [];
    const encoder = openEncoder(codec);
    const press = new Resampler(8000, codec.rate).process(together(silence(200), tones(100, pair('9')), silence(400)));
    const perPacket = codec.rate / 50;
    ears.listen(1, { kind: 'dtmf' }, codec, (sound) => heard.push(sound));
    t.same(ears.describe(), ['listen(1)']);
    for (let n = 0; (n + 1) * perPacket <= press.length; n++) {
      const payload = encoder.encode(press.subarray(n * perPacket, (n + 1) * perPacket));
      ears.push({ payload, sequence: n, timestamp: n * 160, ssrc: 1, marker: false, payloadType: 0 }, n * 20);
      ears.tick();
    }
    t.match(heard, [{ kind: 'digit', digit: '9' }], codec.name);
    ears.stop(1);
    t.same(ears.describe(), []);
    ears.close();
  }
});

void t.test(
  'a press longer than its field can say is sent in segments, and is one press to whoever hears it',
  async (t) => {
    for (const [clockRate, ms] of [
      [8000, 250],
      [8000, 20_000],
      [48_000, 1000],
      [48_000, 1365],
      [48_000, 3000],
    ] as const) {
      const sender = new DigitSender();
      const presses: DigitPress[] = [];
      const receiver = new DigitReceiver((press) => presses.push(press));
      sender.queue('55', ms * 8);
      let markers = 0;
      for (let n = 0; sender.isSending; n++) {
        const event = sender.next(clockRate);
        if (event === undefined) continue;
        if (event.marker) markers += 1;
        const timestamp = ((n * 160 - event.sinceStart) * clockRate) / 8000;
        // Every tenth packet is lost.
        if (n % 10 !== 3) receiver.push({ ssrc: 1, timestamp, payload: event.payload }, n * 20);
      }
      receiver.close();
      t.same(
        presses.map(({ digit, durationSamples }) => [digit, (durationSamples * 1000) / clockRate]),
        [
          ['5', ms],
          ['5', ms],
        ],
        `${ms} ms at ${clockRate}`,
      );
      t.equal(markers, 2, 'one marker for each press');
    }
  },
);

t.test(
  'a key passes a bridge with its length, whatever the two phones take: events, other codecs, tones',
  async (t) => {
    const PCMA: Codec = { ...PCMU, name: 'PCMA' };
    const G722: Codec = { ...PCMU, name: 'G722', rate: 16_000 };
    const takesEvents = { events: { payloadType: 101, clockRate: 8000 } };
    for (const [from, to, isTold] of [
      [PCMU, PCMU, true],
      [PCMU, PCMA, true],
      [PCMU, G722, true],
      [G722, PCMA, true],
      [PCMU, PCMU, false],
      [G722, PCMA, false],
    ] as const) {
      const path = `${from.name} to ${to.name}${isTold ? '' : ' without events'}`;
      const sent: Buffer[] = [];
      const [a, b] = [mediaLeg(() => {}), mediaLeg((datagram) => sent.push(Buffer.from(datagram)))];
      const at = { address: '127.0.0.1', port: 4000 };
      a.setRemote({ ...phoneWith(from, 0, at), ...takesEvents }, 0);
      b.setRemote({ ...phoneWith(to, 8, at), ...(isTold ? takesEvents : {}) }, 0);
      a.bridge({ takes: 'packets', push: (frame) => b.hear(frame), close() {} });
      b.bridge({ takes: 'packets', push() {}, close() {} });
      const presses = new DigitSender();
      let nowMs = 0;
      const tick = () => {
        nowMs += 20;
        const event = presses.next();
        const timestamp = nowMs * 8 - (event?.sinceStart ?? 0);
        if (event !== undefined) {
          const packet = { payloadType: 101, payload: event.payload, marker: event.marker, ssrc: 5, timestamp };
          a.receive(writeRtp({ ...packet, sequence: nowMs / 20 }), at, nowMs);
        }
        a.tick(nowMs);
        b.tick(nowMs);
      };
      presses.queue('5', 160 * 8);
      for (let n = 0; n < 60; n += 1) tick();
      presses.queue('#', 400 * 8);
      for (let n = 0; n < 100; n += 1) tick();

      const packets = sent.flatMap((datagram) => readRtp(datagram) ?? []);
      if (isTold) {
        const heard: string[] = [];
        const receiver = new DigitReceiver((press) => heard.push(`${press.digit}${press.durationSamples / 8}`));
        const events = packets.filter(({ payloadType }) => payloadType === 101);
        for (const event of events) receiver.push(event, 0);
        t.same(heard, ['5160', '#400'], path);
        const ends = events.filter(({ payload }) => (payload[1]! & 0x80) !== 0);
        t.equal(ends.length, 6, `${path}: three ends each`);
        t.equal(new Set(events.map(({ timestamp }) => timestamp)).size, 2, `${path}: one timestamp each`);
        t.same(events.map(({ marker }) => marker).filter(Boolean).length, 2, `${path}: a marker each`);
      } else {
        t.notOk(
          packets.some(({ payloadType }) => payloadType === 101),
          path,
        );
        const pieces = packets.map(({ payload }) => {
          const samples = new Int16Array(payload.length);
          decodeG711(to.name === 'PCMA' ? 'PCMA' : 'PCMU', payload, samples);
          return samples;
        });
        const sound = together(...pieces);
        const heard = heardBy(new DtmfDetector(), sound).map((one) => (one.kind === 'digit' ? one : null));
        t.match(heard, [{ digit: '5' }, { digit: '#' }], path);
        for (const [i, ms] of [160, 400].entries())
          t.ok(Math.abs((heard[i]?.durationMs ?? 0) - ms) <= 30, `${path}: ${heard[i]?.durationMs} ms`);
      }
      a.close();
      b.close();
    }
  },
);
