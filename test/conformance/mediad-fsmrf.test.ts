/** mediad as the real drachtio-fsmrf client sees it, with phones that send and hear real RTP. */
import { statSync } from 'node:fs';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { daemonPlans } from '../../src/cli/supervise/daemon-options.ts';
import { configSchema } from '../../src/config/schema.ts';
import { decodeG711 } from '../../src/mediad/media/codec/g711.ts';
import { HEADER_BYTES } from '../../src/vault/container.ts';
import { openSealed, type Secrets } from '../../src/vault/index.ts';
import { FsmrfClient, SECRET, startMediad, type MrfEndpoint } from '../support/mediad-process.ts';
import { until } from '../support/processes.ts';
import { RtpPhone } from '../support/rtp-phone.ts';
import { find, heardFor, readWav, toneSamples, toneShare, writeWav } from '../support/sound.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const voice = [fileURLToPath(new URL('../support/speaking-program.ts', import.meta.url)), t.testdir()];
const speech = { program: process.execPath, voices: { ann: voice }, workFolder: tmpdir() };
const mediad = await startMediad({ sealTo: [recipient], holdMusic: 'moh.wav', speech });
const client = await FsmrfClient.connect(mediad);

t.teardown(async () => {
  client.close();
  await mediad.stop();
});

async function aPhone(
  law: 'PCMU' | 'PCMA' = 'PCMU',
): Promise<{ phone: RtpPhone; endpoint: MrfEndpoint; hangUp: () => Promise<void> }> {
  const phone = await RtpPhone.open(law);
  const endpoint = await client.server.createEndpoint({ remoteSdp: phone.sdp });
  phone.talkTo(endpoint.local.sdp);
  const hangUp = async () => {
    await endpoint.destroy();
    phone.close();
  };
  return { phone, endpoint, hangUp };
}

void t.test('a prompt is heard, 8 and 16 kHz alike, and the promise says how long it was', async (t) => {
  writeWav(join(mediad.prompts, 'low.wav'), { rateHz: 8000, samples: toneSamples(500, 4000) });
  const wide = Int16Array.from({ length: 8000 }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 900 * i) / 16_000)),
  );
  writeWav(join(mediad.prompts, 'wide.wav'), { rateHz: 16_000, samples: wide });
  const { phone, endpoint, hangUp } = await aPhone();
  const files: string[] = [];
  endpoint.on('playback-start', ({ file }: { file: string }) => files.push(file));
  const played = endpoint.play(['low.wav', join(mediad.prompts, 'wide.wav')]);
  await phone.hears(500);
  await phone.hears(900);
  t.equal(Number((await played).playbackMilliseconds), 1000);
  t.same(files, ['low.wav', join(mediad.prompts, 'wide.wav')]);
  await t.rejects(endpoint.play('missing.wav'), { message: 'File Not Found' });
  await t.rejects(endpoint.play('/etc/passwd'), { message: 'File Not Found' });
  await hangUp();
});

void t.test(
  'MP3 and Opus files are heard, a file that is not audio is refused and hurts nobody, a text is spoken',
  async (t) => {
    const { phone, endpoint, hangUp } = await aPhone();
    const seeds = fileURLToPath(new URL('../fuzz/seeds/', import.meta.url));
    for (const name of ['tone-22k.mp3', 'tone.opus']) {
      await copyFile(join(seeds, name), join(mediad.prompts, name));
      const played = endpoint.play(name);
      await phone.hears(1000);
      const playedMs = Number((await played).playbackMilliseconds);
      t.ok(Math.abs(playedMs - 1500) < 80, `${name}: ${playedMs} ms`);
    }
    await writeFile(join(mediad.prompts, 'broken.mp3'), 'not music '.repeat(1000));
    await t.rejects(endpoint.play('broken.mp3'), { message: 'File Not Found' });
    await until('the reason in the log', () => mediad.log.some((line) => /broken.mp3: not an MP3 file/.test(line)));
    const spoken = endpoint.execute('speak', 'flite|ann|Mister Doe');
    await phone.hears(900);
    t.equal((await spoken).getHeader('Application-Response'), '_none_');
    t.equal(Number((await endpoint.play('say:Mister Doe')).playbackMilliseconds), 1000);
    const refused = await endpoint.execute('speak', 'flite|bob|Mister Doe');
    t.equal(refused.getHeader('Application-Response'), '-ERR there is no voice bob; options speech.voices has ann');
    t.notOk(mediad.log.some((line) => line.includes('Doe')));
    await hangUp();
  },
);

void t.test('endless ringback sounds until it is broken, and a break frees the queue', async (t) => {
  const { phone, endpoint, hangUp } = await aPhone();
  const ringing = endpoint.play('tone_stream://%(2000,4000,440,480);loops=-1');
  await phone.until('both tones', () => {
    const last = phone.heard(Math.max(0, phone.packets.length - 10));
    return toneShare(last, 440) > 0.3 && toneShare(last, 480) > 0.3;
  });
  t.match((await endpoint.api('uuid_break', endpoint.uuid)).getBody(), /^\+OK/);
  await ringing;
  await phone.hearsNothing();
  writeWav(join(mediad.prompts, 'moh.wav'), { rateHz: 8000, samples: toneSamples(800, 800) });
  const music = endpoint.play('local_stream://moh');
  await phone.hears(800);
  const heard = phone.packets.length;
  await phone.until('more than one round', () => phone.packets.length > heard + 30);
  await phone.hears(800);
  await endpoint.api('uuid_break', endpoint.uuid);
  await music;
  const again = endpoint.play('tone_stream://%(2000,4000,440,480);loops=-1');
  await endpoint.set({ answered_by: 'nobody', step: '2' });
  await hangUp();
  await again;
});

void t.test('the hold music of the house is heard, not a tone; and its pieces of numbers', async (t) => {
  const secrets = { controlSecret: SECRET, eventSocketSecret: SECRET } as Secrets;
  const config = configSchema.parse({ data: t.testdir({}) });
  const [plan] = daemonPlans(config, secrets, '127.0.0.1').filter(({ name }) => name === 'mediad');
  if (!plan) throw new Error('no mediad in the plan');
  const { promptFolders, holdMusic } = plan.options as { promptFolders: string[]; holdMusic: string };
  const own = await startMediad({ promptFolders, holdMusic });
  t.teardown(() => own.stop());
  const ownClient = await FsmrfClient.connect(own);
  t.teardown(() => ownClient.close());
  const phone = await RtpPhone.open();
  t.teardown(() => phone.close());
  const endpoint = await ownClient.server.createEndpoint({ remoteSdp: phone.sdp });
  phone.talkTo(endpoint.local.sdp);
  const music = endpoint.play('local_stream://moh');
  await phone.until('something', () => phone.heard().some((sample) => Math.abs(sample) > 300));
  const from = phone.packets.length;
  await phone.until('three seconds', () => phone.packets.length > from + 150);
  const piece = { rateHz: 8000, samples: phone.heard(from).subarray(0, 16_000) };
  const { score } = find(
    piece,
    readWav(fileURLToPath(new URL('../../src/mediad/prompts/music/8000/hold.wav', import.meta.url))),
  );
  t.ok(score > 0.9, `two seconds of it are found in the file: ${score.toFixed(3)}`);
  await endpoint.api('uuid_break', endpoint.uuid);
  await music;
  const number = await endpoint.execute('say', 'en NUMBER pronounced 2342');
  t.equal(number.getHeader('Application-Response'), '_none_');
  const saidMs = Number(number.getHeader('variable_playback_ms'));
  t.ok(saidMs > 2000 && saidMs < 5000, `two thousand three hundred forty two: ${saidMs} ms`);
  await endpoint.destroy();
  t.notOk(own.log.some((line) => line.includes('no hold music')));
});

void t.test('digits are collected by RFC 4733, also with lost ends, and by INFO', async (t) => {
  const { phone, endpoint, hangUp } = await aPhone();
  const heard: string[] = [];
  endpoint.on('dtmf', ({ dtmf, source }: { dtmf: string; source: string }) => heard.push(`${dtmf} ${source}`));
  const question = { file: 'tone_stream://%(60000,0,350)', min: 1, max: 3, timeout: 5000, digitTimeout: 5000 };
  const answer = endpoint.playCollect({ ...question });
  await phone.hears(350);
  await phone.press('4');
  await phone.press('2', { dropEnd: true });
  await phone.press('#');
  t.match(await answer, { digits: '42', terminatorUsed: '#' });
  const second = endpoint.playCollect({ ...question, file: 'silence_stream://60000', max: 2 });
  await once(endpoint, 'playback-start');
  const relay = await endpoint.dialog.call.request('INFO', 'application/dtmf-relay', 'Signal=7\r\nDuration=160\r\n');
  t.equal(relay.status, 200);
  t.equal((await endpoint.dialog.call.request('INFO', 'application/dtmf', '8')).status, 200);
  t.equal((await endpoint.dialog.call.request('INFO', 'text/plain', 'x')).status, 415);
  t.match(await second, { digits: '78' });
  t.same(heard, ['4 RTP', '2 RTP', '# RTP', '7 ENDPOINT', '8 ENDPOINT']);
  await hangUp();
});

void t.test(
  'keys, tones and silence in the sound are told as FreeSWITCH tells them, while an application asks',
  async (t) => {
    const { phone, endpoint, hangUp } = await aPhone();
    const told: string[] = [];
    endpoint.on('dtmf', ({ dtmf, source }: { dtmf: string; source: string }) => told.push(`${dtmf} ${source}`));
    endpoint.on('tone', ({ tone }: { tone: string }) => told.push(tone));
    const isTold = (what: string) => until(`${what} among ${told.join()}`, () => told.includes(what));
    await endpoint.execute('start_dtmf', '');
    const answer = endpoint.playCollect({ file: 'silence_stream://60000', min: 1, max: 1, timeout: 60_000 });
    await once(endpoint, 'playback-start');
    phone.say(770, 1336);
    await until('some of it', () => phone.sent.length > 30);
    phone.say();
    t.match(await answer, { digits: '5' });
    await isTold('5 INBAND_AUDIO');
    await endpoint.execute('stop_dtmf', '');
    await endpoint.execute('tone_detect', 'mine 1000 r +60000');
    phone.say(1000);
    await isTold('mine');
    await endpoint.execute('stop_tone_detect', 'mine');
    const loud = await endpoint.execute('detect_audio', '500 5 60000');
    t.equal(loud.getHeader('variable_detect_audio_timeout'), 'false');
    phone.say();
    const silent = await endpoint.execute('wait_for_silence', '200 5 0 60000');
    t.equal(silent.getHeader('variable_wait_for_silence_timeout'), 'false');
    const never = await endpoint.execute('detect_audio', '500 5 100');
    t.equal(never.getHeader('variable_detect_audio_timeout'), 'true');
    const wrong = await endpoint.execute('tone_detect', 'mine 90000');
    t.match(wrong.getHeader('Application-Response'), /^-ERR tone_detect/);
    t.same(told, ['5 INBAND_AUDIO', 'mine']);
    await hangUp();
  },
);

void t.test('no digit and a wrong digit are no answer', async (t) => {
  const { phone, endpoint, hangUp } = await aPhone();
  const silent = await endpoint.playCollect({ file: 'silence_stream://40', min: 1, max: 1, timeout: 100 });
  t.notOk(silent.digits);
  const wrong = endpoint.playCollect({
    file: 'tone_stream://%(60000,0,350)',
    min: 1,
    max: 1,
    timeout: 5000,
    regexp: '[12]',
  });
  await phone.hears(350);
  await phone.press('9');
  t.match(await wrong, { digits: null, invalidDigits: '9' });
  await hangUp();
});

void t.test('two bridged legs hear each other, whatever their law, and park when parted', async (t) => {
  const alice = await aPhone('PCMU');
  const bob = await aPhone('PCMA');
  await alice.endpoint.bridge(bob.endpoint);
  alice.phone.say(440);
  bob.phone.say(700);
  await Promise.all([alice.phone.hears(700), bob.phone.hears(440)]);
  t.equal(bob.phone.packets.at(-1)?.payloadType, 8);
  const before = bob.phone.packets.length;
  await alice.phone.press('5');
  await bob.phone.until('the digit', () =>
    bob.phone.packets.slice(before).some((p) => p.payloadType === 101 && p.payload[0] === 5),
  );
  const pressed = bob.phone.packets.length;
  await alice.endpoint.dialog.call.request('INFO', 'application/dtmf', '6');
  await bob.phone.until('the digit of an INFO', () =>
    bob.phone.packets.slice(pressed).some((p) => p.payloadType === 101 && p.payload[0] === 6),
  );
  await alice.endpoint.mute();
  await bob.phone.hearsNothing();
  await alice.endpoint.unmute();
  await bob.phone.hears(440);
  await alice.endpoint.unbridge();
  await Promise.all([alice.phone.hearsNothing(), bob.phone.hearsNothing()]);
  await alice.endpoint.bridge(bob.endpoint);
  await bob.phone.hears(440);
  await alice.hangUp();
  await bob.phone.hearsNothing();
  t.match((await bob.endpoint.api('uuid_exists', bob.endpoint.uuid)).getBody(), 'true');
  await bob.hangUp();
});

void t.test('a recording opens to the samples that were sent, and nothing is readable on the disk', async (t) => {
  const { phone, endpoint, hangUp } = await aPhone();
  const metadata = { mailbox: 'cardiology', caller: '+12025550111', isUrgent: true };
  await endpoint.set({ playback_terminators: '#', wardline_seal_to: recipient });
  await endpoint.set({ wardline_seal_metadata: JSON.stringify(metadata) });
  const file = join(mediad.recordings, 'one', 'message.sealed');
  phone.say(600);
  const result = endpoint.record(file, { timeLimitSecs: 30 });
  // It begins to record some time after it was asked to; nobody sees it before there is a segment.
  await phone.until(
    'a segment on the disk',
    () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > HEADER_BYTES,
  );
  const start = phone.sent.length;
  await phone.until('a while', () => phone.sent.length - start > 130);
  await phone.press('#');
  const { terminatorUsed, recordMilliseconds } = await result;
  t.equal(terminatorUsed, '#');
  t.ok(Number(recordMilliseconds) > 2000, `${recordMilliseconds} ms`);
  const sealed = await readFile(file);
  const opened = await openSealed(sealed, [identity]);
  if (opened.kind === 'refused') throw new Error(opened.reason);
  t.same(
    [opened.format, opened.ending, opened.damaged],
    [{ encoding: 'PCMU', rate: 8000, channels: 1 }, 'complete', []],
  );
  t.match(opened.metadata, { ...metadata, channel: endpoint.uuid });
  t.equal(opened.audio.length, Number(recordMilliseconds) * 8);
  t.ok(Buffer.concat(phone.sent).includes(Buffer.from(opened.audio)), 'a piece of what was sent, sample for sample');
  const probe = Buffer.concat(phone.sent.slice(-2)).subarray(0, 64);
  for (const name of await readdir(mediad.folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const bytes = await readFile(join(name.parentPath, name.name));
    t.notOk(bytes.includes('5550111'), `${name.name} names nobody`);
    t.notOk(bytes.includes(probe), `${name.name} holds no audio in clear`);
  }
  await hangUp();
});

void t.test('a recording that would not be sealed in its place is refused, and the call goes on', async (t) => {
  const { phone, endpoint, hangUp } = await aPhone();
  const outside = await endpoint.execute('record', '/tmp/plain.wav');
  t.match(outside.getHeader('Application-Response'), /outside the recordings folder/);
  await endpoint.set({ wardline_seal_to: 'age1wrong' });
  const nobody = await endpoint.execute('record', join(mediad.recordings, 'x.sealed'));
  t.match(nobody.getHeader('Application-Response'), /not an age recipient/);
  t.notOk((await readdir(mediad.recordings, { recursive: true })).includes('x.sealed'));
  const unknown = await endpoint.execute('system', 'reboot');
  t.match(unknown.getHeader('Application-Response'), /not supported/);
  const heard = phone.hears(1000);
  await endpoint.play('tone_stream://%(600,0,1000)');
  await heard;
  await hangUp();
});

void t.test('a hang-up in the middle keeps the recording and settles every promise', async (t) => {
  const { phone, endpoint } = await aPhone();
  const file = join(mediad.recordings, 'cut-short.sealed');
  const recorded = endpoint.record(file);
  const never = endpoint.play('silence_stream://-1');
  await phone.until('a second', () => phone.sent.length > 60);
  endpoint.dialog.call.bye();
  const result = await recorded;
  await never;
  t.ok(Number(result.recordMilliseconds) > 0);
  const opened = await openSealed(await readFile(file), [identity]);
  t.match(opened, { kind: 'opened', ending: 'complete' });
  phone.close();
});

void t.test('an endpoint without a description is silent until it is given one', async (t) => {
  const endpoint = await client.server.createEndpoint();
  t.match(endpoint.local.sdp, /m=audio \d+ RTP\/AVP 0 8 9 96 97 98 101 102/);
  const phone = await RtpPhone.open('PCMA');
  await endpoint.modify(phone.sdp);
  const variables = await endpoint.getChannelVariables(false);
  t.match(variables, { variable_rtp_use_codec_name: 'PCMA', variable_remote_media_port: String(phone.port) });
  phone.talkTo(endpoint.dialog.remote.sdp);
  const playing = endpoint.play('tone_stream://%(60000,0,600)');
  await phone.hears(600);
  await endpoint.modify(phone.sdpWith('inactive'));
  t.match(endpoint.dialog.remote.sdp, /a=inactive/);
  await endpoint.modify(phone.sdp);
  await phone.hears(600);
  const counted = await endpoint.getChannelVariables(true);
  t.ok(Number(counted['variable_rtp_audio_in_packet_count']) > 0);
  await endpoint.destroy();
  await playing;
  phone.close();
});

void t.test('codecs: the first we speak; none in common is 488', async (t) => {
  const phone = await RtpPhone.open();
  const both = phone.sdp
    .replace('AVP 0 101', 'AVP 0 8 101')
    .replace('a=rtpmap:0', 'a=rtpmap:8 PCMA/8000\r\na=rtpmap:0');
  const endpoint = await client.server.createEndpoint({ remoteSdp: both, codecs: 'PCMA' });
  t.match(endpoint.local.sdp, /m=audio \d+ RTP\/AVP 8 101/);
  const other = phone.sdp
    .replaceAll('PCMU/8000', 'G729/8000')
    .replaceAll(' 0 101', ' 96 101')
    .replaceAll(':0 ', ':96 ');
  await t.rejects(client.server.createEndpoint({ remoteSdp: other }), { message: 'refused with 488' });
  await endpoint.destroy();
  phone.close();
});

void t.test('the inbound socket answers as FreeSWITCH does', async (t) => {
  t.match(await client.server.api('status'), /0 session\(s\) - peak/);
  t.match(await client.server.api('nonsense 1'), '-ERR nonsense Command not found!');
  t.match(await client.server.api('uuid_kill 00000000'), '-ERR No such channel!');
  t.match(JSON.parse(await client.server.api('show channels as json')), { row_count: 0 });
});

void t.test(
  'three legs in a conference hear each other; one is muted, and both sides of one are recorded',
  async (t) => {
    const all = [await aPhone('PCMU'), await aPhone('PCMA'), await aPhone('PCMU')];
    const [first, , last] = all;
    const pitches = [400, 600, 800];
    for (const { endpoint } of all) await endpoint.join('ward');
    const file = join(mediad.recordings, 'session.sealed');
    await first!.endpoint.set({ RECORD_STEREO: 'true', wardline_seal_to: recipient });
    await first!.endpoint.execute('record_session', file);
    for (const [i, { phone }] of all.entries()) phone.say(pitches[i]);
    for (const [i, { phone }] of all.entries()) {
      const [one, other, own] = [(i + 1) % 3, (i + 2) % 3, i].map((n) => pitches[n]!);
      await phone.until('the two others, and not itself', () => {
        const heard = lastOf(phone);
        return toneShare(heard, one!) > 0.3 && toneShare(heard, other!) > 0.3 && toneShare(heard, own!) < 0.02;
      });
    }
    await last!.endpoint.confMute();
    await first!.phone.hears(600);
    t.match((await first!.endpoint.api('conference', 'ward list count')).getBody(), /^3/);
    await first!.endpoint.execute('stop_record_session', file);
    for (const { hangUp } of all) await hangUp();
    const opened = await openSealed(await readFile(file), [identity]);
    if (opened.kind === 'refused') throw new Error(opened.reason);
    t.same([opened.format.channels, opened.ending], [2, 'complete']);
    const samples = new Int16Array(opened.audio.length);
    decodeG711('PCMU', opened.audio, samples);
    const [said, heard] = [0, 1].map((side) => samples.filter((_, n) => n % 2 === side));
    // Stretches, not the whole: a packet that came late on a busy machine is a gap, and not what is asked here.
    t.ok(heardFor({ rateHz: 8000, samples: said! }, 400, 0.9) >= 0.2, 'what it said, on the left');
    t.ok(heardFor({ rateHz: 8000, samples: heard! }, 600, 0.3) >= 0.2, 'what it heard, on the right');
    t.ok(toneShare(heard!, 400) < 0.02, 'and not itself');
  },
);

/** 200 ms. */
function lastOf(phone: RtpPhone): Int16Array {
  return phone.heard().slice(-1600);
}

void t.test('digits and letters are said from their recordings', async (t) => {
  const { endpoint, hangUp } = await aPhone();
  await mkdir(join(mediad.prompts, 'en', '8000'), { recursive: true });
  for (const name of ['digit-4', 'digit-2', 'letter-a'])
    writeWav(join(mediad.prompts, 'en', '8000', `${name}.wav`), { rateHz: 8000, samples: toneSamples(700, 800) });
  const spelled = await endpoint.execute('say', 'en NUMBER iterated 42');
  t.equal(spelled.getHeader('variable_playback_ms'), '200');
  const named = await endpoint.execute('say', 'en NAME_SPELLED iterated Aa');
  t.equal(named.getHeader('Application-Response'), '_none_');
  const date = await endpoint.execute('say', 'en CURRENCY pronounced 1');
  t.match(date.getHeader('Application-Response'), /^-ERR CURRENCY is not recorded/);
  const absent = await endpoint.execute('say', 'en NUMBER iterated 7');
  t.match(absent.getHeader('Application-Response'), /^-ERR there is no recording of "digit-7"/);
  await hangUp();
});

void t.test('methods for modules that stock FreeSWITCH does not have are refused in its words', async (t) => {
  const { endpoint, hangUp } = await aPhone();
  const leg = endpoint as MrfEndpoint & Readonly<Record<string, (options: object) => Promise<unknown>>>;
  const google = { vendor: 'google', locale: 'en-US' };
  const track = { action: 'addTrack', track: 'a' };
  for (const [method, options, command] of [
    ['startTranscription', google, 'uuid_google_transcribe'],
    ['stopTranscription', google, 'uuid_google_transcribe'],
    ['startVadDetection', {}, 'uuid_vad_detect'],
    ['stopVadDetection', {}, 'uuid_vad_detect'],
    ['setGain', { gain: 3 }, 'uuid_dub'],
    ['dub', track, 'uuid_dub'],
    ['forkAudioStart', { wsUrl: 'ws://127.0.0.1:9', mixType: 'mono', sampling: '8000' }, 'uuid_audio_fork'],
  ] as const) {
    const refused = { message: new RegExp(`^-ERR ${command} Command not found!`) };
    await t.rejects(() => leg[method]!(options), refused, method);
  }
  await hangUp();
});

void t.test(
  'a command that nobody waits for is done; whom a conference has is told, and who is kicked is out',
  async (t) => {
    const { endpoint, hangUp } = await aPhone();
    const leg = endpoint as MrfEndpoint & {
      executeAsync(app: string, arg: string, done: () => void): void;
      getNonMatchingConfParticipants(conference: string, tag: string): Promise<readonly number[]>;
      confKick(): Promise<unknown>;
    };
    await new Promise<void>((resolve) => leg.executeAsync('set', 'ward=4b', resolve));
    await until('the variable', async () => (await leg.getChannelVariables(false))['variable_ward'] === '4b');
    const { memberId } = await leg.join('round');
    t.match((await leg.api('conference', 'round list')).getBody(), new RegExp(`^${memberId};`));
    t.same(await leg.getNonMatchingConfParticipants('round', 'none'), []);
    await leg.confKick();
    await until('it to be out', async () => /not found/.test((await leg.api('conference', 'round list')).getBody()));
    await hangUp();
  },
);
