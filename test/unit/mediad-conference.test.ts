/** Conferences, session recordings and codecs that change: what crosses on the way, and what must not be left behind. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Channel } from '../../src/mediad/channel/channel.ts';
import { SessionRecordings } from '../../src/mediad/channel/applications/record-session.ts';
import { Conferences } from '../../src/mediad/channel/conference/conferences.ts';
import { EventBus } from '../../src/mediad/channel/events.ts';
import type { SoundFrame } from '../../src/mediad/media/bridge.ts';
import { openEncoder } from '../../src/mediad/media/codec/codec.ts';
import type { Codec } from '../../src/mediad/media/codec/codec-types.ts';
import { decodeG711 } from '../../src/mediad/media/codec/g711.ts';
import { inWideBand } from '../../src/mediad/media/codec/resample.ts';
import { JitterBuffer } from '../../src/mediad/media/jitter-buffer.ts';
import { LegMedia } from '../../src/mediad/media/leg-media.ts';
import type { MediaWorker } from '../../src/mediad/media/media-worker.ts';
import type { FromWorker, RecordRequest, SeatSettings, ToWorker } from '../../src/mediad/media/messages.ts';
import { Mixer } from '../../src/mediad/media/mixer.ts';
import { Player } from '../../src/mediad/media/player.ts';
import { PromptCache } from '../../src/mediad/media/prompt-cache.ts';
import { Recorder, type RecordResult } from '../../src/mediad/media/recorder.ts';
import { readRtp, writeRtp, type RtpPacket } from '../../src/mediad/media/rtp-packet.ts';
import { parseToneScript, ToneSource } from '../../src/mediad/media/tone.ts';
import { Transcoder, type Transcoded } from '../../src/mediad/media/transcoder.ts';
import { WorkerConferences } from '../../src/mediad/media/worker-conferences.ts';
import { mediaLeg, phoneWith } from '../support/media-leg.ts';
import { loudness, toneSamples, toneShare, wavBytes } from '../support/sound.ts';

const seat: SeatSettings = { canSpeak: true, canHear: true, gainIn: 1, gainOut: 1, energyLevel: 0, talkLevel: 100 };
const PCMU: Codec = { name: 'PCMU', rate: 8000, clockRate: 8000, ptimeMs: 20 };
const G722: Codec = { name: 'G722', rate: 16_000, clockRate: 8000, ptimeMs: 20 };
const l16 = (rate: 8000 | 16_000): Codec => ({ name: 'L16', rate, clockRate: rate, ptimeMs: 20 });

/** A worker that only listens. */
function aWorker() {
  const told: ToWorker[] = [];
  const listeners = new Map<string, (message: FromWorker) => void>();
  const worker = {
    tell: (message: ToWorker) => void told.push(message),
    listen: (leg: string, listener: (message: FromWorker) => void) => void listeners.set(leg, listener),
    forget: (leg: string) => void listeners.delete(leg),
  };
  const say = (message: FromWorker & { leg: string }) => listeners.get(message.leg)?.(message);
  return { worker: worker as unknown as MediaWorker, told, say };
}

function aChannel(worker: MediaWorker, name: string) {
  const media = new LegMedia(worker, name, { digitHeard() {}, silent() {}, measured() {}, reported() {}, failed() {} });
  const variables = new Map<string, string>();
  const channel = { uuid: name, media, variables, profileHeaders: () => ({}), onDigit: () => () => {}, publish() {} };
  return channel as unknown as Channel;
}

function aRecorder() {
  const written: number[] = [];
  const results: RecordResult[] = [];
  const recorder = new Recorder({
    sink: { push: (audio) => void written.push(...audio), audioBytes: 0, close: async () => {} },
    law: 'PCMU',
    limits: { maxMs: Infinity, silenceLevel: 0, silenceMs: 3000 },
    nowMs: 0,
    ended: (result) => void results.push(result),
  });
  const samples = () => {
    const linear = new Int16Array(written.length);
    decodeG711('PCMU', Uint8Array.from(written), linear);
    return linear;
  };
  return { recorder, results, samples };
}

function aTone(hz: number, rate: 8000 | 16_000, frame: number, amplitude = 8000): SoundFrame {
  const length = rate / 50;
  const samples = Int16Array.from({ length }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * (frame * length + i)) / rate)),
  );
  return { samples, rate };
}

const endlessTone = (ended: () => void) => {
  const script = parseToneScript('%(100,0,440);loops=-1')!;
  const item = { name: 'tone', open: (rate: 8000 | 16_000) => new ToneSource(script, rate) };
  return new Player([item], {}, { started() {}, stopped() {}, ended });
};

void t.test('a conference that begins while the last one of its name ends has its own sound', async (t) => {
  const { worker, told, say } = aWorker();
  const conferences = new Conferences({ bus: new EventBus(), pickWorker: () => worker, maxConferences: 10 });
  const join = (name: string) => {
    const abort = new AbortController();
    void conferences.application({ channel: aChannel(worker, name), arguments: 'room', signal: abort.signal });
    return abort;
  };
  join('a').abort();
  join('b');
  const closed = told.find((message) => message.type === 'closeLeg')!;
  say({ type: 'legClosed', leg: (closed as ToWorker & { leg: string }).leg, report: undefined });
  conferences.find('room')!.play('tone', [], undefined, false);
  await new Promise(setImmediate);
  t.equal(told.at(-1)?.type, 'play', 'the new one is still told what to do');

  const [member] = conferences.find('room')!.members.values();
  t.equal(conferences.move(member!, 'room'), conferences.find('room'), 'a move to where he is');
  t.equal(conferences.find('room')?.members.size, 1, 'leaves him there');
  t.match(conferences.move(member!, ''), /conference .* cannot be/);

  const room = conferences.find('room')!;
  room.end();
  t.equal(await room.record('f.wseal', aRequest), 'it is closed', 'who asks too late is answered');
});

const aRequest: RecordRequest = {
  path: '/x',
  recipients: [],
  metadata: {},
  limits: { maxMs: 1000, silenceLevel: 0, silenceMs: 0 },
};

void t.test('what is stopped, or whose conference ends, while its file is opened does not begin', async (t) => {
  const told: FromWorker[] = [];
  const recorder = aRecorder();
  let open = () => {};
  const opened = () => new Promise<void>((resolve) => (open = resolve));
  const conferences = new WorkerConferences({
    tell: (message) => void told.push(message),
    findLeg: () => undefined,
    recordings: { open: () => opened().then(() => recorder.recorder) },
    load: () => opened().then(() => []),
    newPlayer: () => endlessTone(() => {}),
    alone: (_, work) => work(),
  });
  conferences.open('room');
  const play = { type: 'play', leg: 'room', play: 1, items: [], isEndless: false, maxMs: Infinity } as const;
  const playing = conferences.perform(play);
  await conferences.perform({ type: 'stopPlay', leg: 'room', play: 1 });
  open();
  await playing;
  t.match(told, [{ type: 'playEnded', play: 1 }]);
  const recording = conferences.perform({ type: 'record', leg: 'room', recording: 2, request: aRequest });
  conferences.close('room');
  open();
  await recording;
  await new Promise(setImmediate);
  t.match(recorder.results, [{ ending: 'stopped' }], 'its container is complete');
  t.equal(told.length, 1, 'and it was never said to run');
});

void t.test('session recordings that begin together are both there to be stopped and masked', async (t) => {
  const { worker, told, say } = aWorker();
  const folder = mkdtempSync(join(tmpdir(), 'wardline-sessions-'));
  const log = { info() {}, warn() {}, error() {} };
  const sessions = new SessionRecordings({ folder, sealTo: ['age1x'], log });
  const channel = aChannel(worker, 'leg');
  const starts = ['a', 'b', 'a'].map((name) => sessions.start(channel, name, 0));
  for (;;) {
    await new Promise(setImmediate);
    const recordings = told.filter((message) => message.type === 'record');
    for (const { leg, recording } of recordings) say({ type: 'recordStarted', leg, recording });
    if (recordings.length >= 2) break;
  }
  t.same(
    (await Promise.all(starts)).toSorted(),
    [undefined, undefined, 'it is being recorded to this path already'].toSorted(),
  );
  for (const name of ['a', 'b']) t.ok(sessions.mask(channel, name, true), `${name} is masked`);
  void channel.media.close();
  t.equal(await sessions.start(channel, 'c', 0), 'it is closed', 'a leg that is gone is not waited for');
});

void t.test('a conference is recorded without what telephones cannot carry, and a pause is left out', async (t) => {
  const mixer = new Mixer({ talking() {} });
  mixer.join(1, seat, () => {});
  const { recorder, samples } = aRecorder();
  mixer.record(1, recorder);
  // 6 kHz would come back as 2 kHz.
  for (let n = 0; n < 50; n++) {
    mixer.push(1, aTone(6000, 16_000, n));
    mixer.tick(n * 20);
  }
  t.ok(loudness(samples().subarray(800)) < 100, `${loudness(samples())}`);
  const before = samples().length;
  mixer.pauseRecord(1, true);
  for (let n = 50; n < 250; n++) mixer.tick(n * 20);
  mixer.pauseRecord(1, false);
  for (let n = 250; n < 300; n++) mixer.tick(n * 20);
  t.equal(samples().length - before, 8000, 'a second of silence after four that were left out');
  mixer.close();
});

void t.test('nobody plays to a member who has left, and a raised energy level shuts out noise', async (t) => {
  let ended = 0;
  const talks: boolean[] = [];
  const heard: number[] = [];
  const mixer = new Mixer({ talking: (_, isTalking) => void talks.push(isTalking) });
  mixer.play(
    1,
    endlessTone(() => (ended += 1)),
    7,
  );
  t.equal(ended, 1);
  mixer.join(1, { ...seat, energyLevel: 1000, talkLevel: 1000 }, () => {});
  mixer.join(2, seat, ({ samples }) => void heard.push(loudness(samples)));
  for (const amplitude of [500, 8000, 500]) {
    mixer.push(1, aTone(1000, 8000, 0, amplitude));
    mixer.tick(0);
  }
  t.equal(heard[0], 0, 'noise is not mixed');
  t.ok(heard[1]! > 1000, 'a voice is');
  t.ok(heard[2]! > 0, 'and is not cut off where it is soft');
  t.same(talks, [true]);
});

void t.test('one packet that is too short does not make a leg mute for ever', async (t) => {
  const jitter = new JitterBuffer(PCMU);
  const frame = new Int16Array(160);
  const packet = (sequence: number, size: number): RtpPacket => ({
    payloadType: 0,
    marker: false,
    sequence,
    timestamp: sequence * 160,
    ssrc: 1,
    payload: Buffer.alloc(size, 0x20),
  });
  for (let n = 0; n < 3; n++) jitter.push(packet(n, 160), n * 20);
  jitter.push(packet(3, 1), 60);
  for (let n = 0; n < 12; n++) jitter.pull(frame);
  let heard = 0;
  for (let n = 4; n < 200; n++) {
    jitter.push(packet(n, 160), 300 + n * 20);
    if (jitter.pull(frame)) heard += 1;
  }
  t.ok(heard > 150, `${heard} of 196 frames`);
});

void t.test(
  'a leg that changes from 8 to 16 kHz of one codec is recorded as it sounds; a closed one is left alone',
  async (t) => {
    const phone = { address: '198.51.100.4', port: 4000 };
    const sent: Buffer[] = [];
    const leg = mediaLeg((datagram: Buffer) => void sent.push(datagram));
    leg.setRemote(phoneWith(l16(8000), 96, phone), 0);
    const { recorder, samples } = aRecorder();
    leg.record(recorder);
    leg.setRemote(phoneWith(l16(16_000), 96, phone), 0);
    const encoder = openEncoder(l16(16_000));
    for (let n = 0; n < 60; n++) {
      const payload = encoder.encode(aTone(1000, 16_000, n).samples);
      const packet = { payloadType: 96, marker: false, sequence: n, timestamp: n * 320, ssrc: 1, payload };
      leg.receive(writeRtp(packet), phone, n * 20);
      leg.tick(n * 20);
    }
    t.ok(samples().length <= 60 * 160, 'a second is a second');
    t.ok(toneShare(samples().subarray(400, 8000), 1000) > 0.99, 'and the tone is as high as it was');

    leg.close();
    sent.length = 0;
    leg.setRemote(phoneWith(G722, 96, phone), 0);
    const payload = Buffer.alloc(160);
    leg.hear({ kind: 'audio', codec: PCMU, payload, marker: false, ssrc: 1, sequence: 1, timestamp: 1 });
    t.equal(leg.codec.name, 'L16', 'nothing is made for it');
    t.notMatch(leg.describe(), 'decode(PCMU)');
    t.same(sent, []);
  },
);

void t.test('after a pause of the speaker what is transcoded begins with the marker', async (t) => {
  const out: Transcoded[] = [];
  const transcoder = new Transcoder(PCMU, G722, (frame) => void out.push(frame));
  const encoder = openEncoder(PCMU);
  for (const n of [0, 1, 2, 50, 51]) {
    const payload = encoder.encode(toneSamples(1000, 160, n * 160));
    const sequence = n < 3 ? n : n - 47;
    transcoder.push({ payloadType: 0, marker: false, sequence, timestamp: n * 160, ssrc: 1, payload });
  }
  t.same(
    out.map(({ marker }) => marker),
    [true, false, false, true, false],
  );
  t.same(
    out.map(({ timestamp }) => timestamp / 160),
    [0, 1, 2, 50, 51],
  );
  transcoder.close();
});

void t.test('two streams of transcoded sound one after the other never use a sequence number twice', async (t) => {
  const phone = { address: '198.51.100.4', port: 4000 };
  const sent: RtpPacket[] = [];
  const leg = mediaLeg((datagram: Buffer) => void sent.push(readRtp(datagram)!));
  leg.setRemote(phoneWith(G722, 9, phone), 0);
  leg.bridge({ takes: 'packets', push() {}, close() {} });
  // The other phone changes its codec in the midst of a call, and keeps its SSRC.
  for (const codec of [PCMU, l16(8000)]) {
    const encoder = openEncoder(codec);
    for (let n = 0; n < 20; n++) {
      const payload = encoder.encode(toneSamples(1000, 160));
      leg.tick(n * 20);
      leg.hear({ kind: 'audio', codec, payload, marker: false, ssrc: 5, sequence: n, timestamp: n * 160 });
    }
  }
  t.equal(sent.length, 40);
  t.equal(new Set(sent.map(({ sequence }) => sequence)).size, 40);
});

void t.test('a prompt of 48 kHz is made ready without holding up who hears something else', async (t) => {
  const samples = Int16Array.from({ length: 96_000 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 1000 * i) / 48_000));
  let turns = 0;
  let isOver = false;
  const watch = () => {
    turns += 1;
    if (!isOver) setImmediate(watch);
  };
  setImmediate(watch);
  await inWideBand(samples, 48_000);
  isOver = true;
  t.ok(turns >= 10, `${turns} turns for others`);

  const path = join(mkdtempSync(join(tmpdir(), 'wardline-prompt-')), 'wide.wav');
  writeFileSync(path, wavBytes({ rateHz: 48_000, samples }));
  const audio = await new PromptCache(10_000_000).load(path);
  if (typeof audio === 'string') throw new Error(audio);
  t.equal(audio.samples.length, 32_000);
  // Its frequencies are counted in 8 kHz.
  t.ok(toneShare(audio.samples.subarray(400, 31_600), 500) > 0.99);
});
