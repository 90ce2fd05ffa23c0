import t from 'tap';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import { MediaLeg } from '../../src/mediad/media/media-leg.ts';
import { Recorder } from '../../src/mediad/media/recorder.ts';
import { writeRtp } from '../../src/mediad/media/rtp-packet.ts';

/**
 * Recordings of what networks do to a stream, each from its seed, with what must be heard of it. Every frame of sound has a value of its own, so
 * that what was recorded says which frames it is made of.
 */
interface Recording {
  readonly arrivals: readonly { readonly datagram: Buffer; readonly atMs: number }[];
  /** Values of the frames that arrive, in the order in which they were said. */
  readonly frames: readonly number[];
  readonly digits: string;
  readonly lost: number;
  readonly duplicates: number;
  readonly says: string;
}

const FRAMES = 250;
const SILENCE = 0xff;
const phone = { address: '192.0.2.7', port: 4000 };

function dice(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function generate(seed: number): Recording {
  const random = dice(seed);
  const chance = (share: number) => random() < share;
  const lossShare = chance(0.5) ? random() * 0.2 : 0;
  const reorderShare = chance(0.5) ? random() * 0.2 : 0;
  const duplicateShare = chance(0.5) ? random() * 0.1 : 0;
  const driftPpm = Math.round((random() - 0.5) * 1000);
  const changesAt = chance(0.4) ? 60 + Math.floor(random() * 120) : -1;
  // One press is of one sender.
  const wanted = chance(0.5) ? 20 + Math.floor(random() * 200) : -1;
  const pressesAt = Math.abs(wanted - changesAt) < 10 ? -1 : wanted;
  const digit = String(Math.floor(random() * 10));
  let ssrc = Math.floor(random() * 2 ** 32);
  let sequence = Math.floor(random() * 65_536);
  let timestamp = Math.floor(random() * 2 ** 32);
  const sent: { datagram: Buffer; atMs: number; n: number }[] = [];
  const frames: number[] = [];
  let lost = 0;
  let duplicates = 0;
  let pressed = 0;
  for (let n = 0; n < FRAMES; n++) {
    if (n === changesAt) {
      ssrc = Math.floor(random() * 2 ** 32);
      sequence = Math.floor(random() * 65_536);
    }
    const atMs = n * 20 * (1 + driftPpm / 1e6) + random() * 8;
    const isPress = n >= pressesAt && n < pressesAt + 6 && pressesAt >= 0;
    const value = 1 + (n % 120);
    const event = Buffer.from([Number(digit), pressed >= 3 ? 0x8a : 0x0a, 0, 0]);
    event.writeUInt16BE(Math.min(pressed + 1, 4) * 160, 2);
    const datagram = writeRtp({
      payloadType: isPress ? 101 : 0,
      marker: false,
      sequence,
      timestamp: isPress ? timestamp - pressed * 160 : timestamp,
      ssrc,
      payload: isPress ? event : Buffer.alloc(160, value),
    });
    if (isPress) pressed += 1;
    // The first and the last of a stream, and the key, always come: what nobody knows of is not counted.
    const isEdge = n === 0 || n === FRAMES - 1 || n === changesAt || n === changesAt - 1;
    if (!isEdge && !isPress && chance(lossShare)) lost += 1;
    else {
      sent.push({ datagram, atMs, n });
      if (!isPress) frames.push(value);
      if (chance(duplicateShare)) {
        sent.push({ datagram, atMs: atMs + random() * 10, n });
        duplicates += 1;
      }
      const before = sent.at(-2);
      // Overtaken by the one right behind it; who has begun with another knows nothing of one before.
      const isSwapped = !isEdge && !isPress && before?.n === n - 1 && n > 1 && n !== changesAt + 1;
      if (isSwapped && chance(reorderShare)) before.atMs = atMs + 1;
    }
    sequence = (sequence + 1) & 0xffff;
    timestamp = (timestamp + 160) >>> 0;
  }
  return {
    arrivals: sent.toSorted((a, b) => a.atMs - b.atMs),
    frames,
    digits: pressesAt >= 0 ? digit : '',
    lost,
    duplicates,
    says: JSON.stringify({ seed, lossShare, reorderShare, duplicateShare, driftPpm, changesAt, pressesAt }),
  };
}

/** The values of what was recorded, with how long each lasted; silence is left out. */
function runsOf(bytes: readonly number[]): { readonly value: number; readonly count: number }[] {
  const runs: { value: number; count: number }[] = [];
  for (const value of bytes) {
    if (runs.at(-1)?.value === value) runs.at(-1)!.count += 1;
    else runs.push({ value, count: 1 });
  }
  return runs.filter(({ value }) => value !== SILENCE);
}

function play(recording: Recording) {
  const written: number[] = [];
  const digits: string[] = [];
  const transport = { send() {}, sendControl() {}, connect() {}, disconnect() {}, close() {} };
  const events = {
    digit: ({ digit }: { digit: string }) => void digits.push(digit),
    silent() {},
    measured() {},
    reported() {},
  };
  const leg = new MediaLeg({ transport, events, silenceMs: 0, nowMs: 0 });
  const events101 = { payloadType: 101, clockRate: 8000 };
  leg.setRemote(
    {
      codec: PCMU,
      payloadType: 0,
      events: events101,
      noise: undefined,
      srtp: undefined,
      sendTo: phone,
      control: undefined,
      alsoFrom: [],
      isReceiving: true,
    },
    0,
  );
  const sink = { push: (bytes: Uint8Array) => void written.push(...bytes), audioBytes: 0, close: async () => {} };
  const limits = { maxMs: Infinity, silenceLevel: 0, silenceMs: 0 };
  leg.record(new Recorder({ sink, law: 'PCMU', limits, nowMs: 0, ended() {} }));
  let tickMs = 20;
  for (const { datagram, atMs } of recording.arrivals) {
    for (; tickMs <= atMs; tickMs += 20) leg.tick(tickMs);
    leg.receive(Buffer.from(datagram), phone, atMs);
  }
  const report = leg.report();
  leg.close();
  return { written, digits, report };
}

void t.test('whatever a network does to a stream, what arrives is heard: once, in order, whole', async (t) => {
  const first = Number(process.env['RTP_SEED'] ?? 1);
  const seen = { lost: 0, duplicates: 0, digits: 0, changes: 0 };
  for (let seed = first; seed < first + 60; seed++) {
    const recording = generate(seed);
    const { written, digits, report } = play(recording);
    const runs = runsOf(written);
    const { says } = recording;
    t.same(
      runs.map(({ value }) => value),
      recording.frames,
      `the frames: ${says}`,
    );
    t.ok(
      runs.every(({ count }) => count === 160),
      `each whole: ${says}`,
    );
    t.equal(digits.join(''), recording.digits, `the key: ${says}`);
    t.match(report.counters, { lostIn: recording.lost, duplicatesIn: recording.duplicates, lateIn: 0 }, says);
    t.ok(Math.abs(written.length - FRAMES * 160) <= 4000 + 160, `as long as it was: ${written.length} ${says}`);
    seen.lost += recording.lost;
    seen.duplicates += recording.duplicates;
    seen.digits += digits.length;
    seen.changes += says.includes('"changesAt":-1') ? 0 : 1;
  }
  t.ok(
    Object.values(seen).every((count) => count > 5),
    `all of it happened: ${JSON.stringify(seen)}`,
  );
});
