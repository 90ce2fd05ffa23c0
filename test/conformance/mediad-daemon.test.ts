/** mediad as a process: what it refuses, what it survives, what it keeps when others die. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { checkOptions } from '../../src/mediad/index.ts';
import { openSealed, sealedKey } from '../../src/vault/index.ts';
import { EslApplication, EslClient } from '../support/esl-client.ts';
import { SECRET, type MediadProcess } from '../support/mediad-process.ts';
import { mediadSystem } from '../support/mediad-system.ts';
import { RtpPhone } from '../support/rtp-phone.ts';
import { freeUdpPort, until } from '../support/processes.ts';
import { SipCaller } from '../support/sip-caller.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

/** For the tests that ask for nothing special. */
const shared = await aSystem(t, { metrics: { port: 0 } });

function aSystem(t: Parameters<typeof mediadSystem>[0], options: Readonly<Record<string, unknown>> = {}) {
  return mediadSystem(t, { sealTo: [recipient], ...options });
}

async function aLeg(
  { mediad, caller, application }: { mediad: MediadProcess; caller: SipCaller; application: EslApplication },
  headers: Readonly<Record<string, string>> = {},
  { isSilent = false } = {},
) {
  const phone = await RtpPhone.open();
  const { response, call } = await caller.invite(
    `sip:drachtio@${mediad.sipAddress}`,
    { 'X-esl-outbound': application.address, ...headers },
    phone.sdp,
  );
  if (call === undefined) {
    phone.close();
    throw new Error(`refused with ${response.status}`);
  }
  call.ack();
  const talk = (): void => phone.talkTo(response.body.toString());
  if (!isSilent) talk();
  const { esl, uuid, data } = await application.accept();
  const execute = (app: string, arg: string, id: string) =>
    esl.command(`sendmsg\ncall-command: execute\nexecute-app-name: ${app}\nexecute-app-arg: ${arg}\nEvent-UUID: ${id}`);
  const completed = (id: string) => esl.event('CHANNEL_EXECUTE_COMPLETE', (e) => e['Application-UUID'] === id);
  return { phone, talk, call, esl, uuid, data, execute, completed };
}

/** Runs mediad with this file and resolves with what it logged when it ended. */
async function startFailing(content: string, mode = 0o600): Promise<{ code: number; text: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mediad-'));
  const file = join(folder, 'options.json');
  await writeFile(file, content);
  await chmod(file, mode);
  const child = spawn(process.execPath, ['src/mediad/main.ts', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number];
  await rm(folder, { recursive: true });
  return { code, text };
}

void t.test('wrong options, a readable secret and ports in use end with a reason and a remedy', async (t) => {
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  const { port } = busy.address() as AddressInfo;
  const good = { eventSocket: { port: 0, secret: SECRET }, sip: { port: 0 } };
  const problems = (input: unknown) => {
    const result = checkOptions(input);
    return result.kind === 'refused' ? result.problems.join() : '';
  };
  t.match(problems({ eventSocket: { secret: 'ClueCon' } }), /eventSocket\.secret: the secret needs at least 16/);
  t.match(problems({ ...good, typo: 1 }), /typo/);
  t.match(problems({ ...good, rtp: { bindAddress: '0.0.0.0' } }), /rtp\.advertisedAddress: needed/);
  t.match(problems({ ...good, rtp: { portsFrom: 30_000, portsTo: 20_000 } }), /larger than/);
  t.equal(problems(good), '');
  const cases: [string, RegExp, number?][] = [
    [JSON.stringify(good), /others can read it: run chmod 600/, 0o644],
    [
      JSON.stringify({ ...good, eventSocket: { port, secret: SECRET } }),
      new RegExp(`event socket 127.0.0.1:${port}.*EADDRINUSE; stop what uses it`),
    ],
    [JSON.stringify({ ...good, sip: { port } }), new RegExp(`SIP address 127.0.0.1:${port}.*stop what uses it`)],
  ];
  for (const { code, text, expected } of await Promise.all(
    cases.map(async ([content, expected, mode]) => ({ ...(await startFailing(content, mode)), expected })),
  )) {
    t.equal(code, 1);
    t.match(text, expected);
  }
  busy.close();
});

void t.test('the event socket: nothing before the secret, and FreeSWITCH\u2019s words after it', async (t) => {
  const { mediad } = shared;
  const stranger = await EslClient.dial(mediad.eventSocketPort);
  t.equal((await stranger.command('api status')).headers['Reply-Text'], '-ERR command not found');
  t.equal((await stranger.command('auth ClueCon')).headers['Reply-Text'], '-ERR invalid');
  await stranger.closed();
  const member = await EslClient.member(mediad.eventSocketPort, SECRET);
  const replies: [string, string][] = [
    ['event json HEARTBEAT SWITCH_EVENT_PLAYBACK_START', '+OK event listener enabled json'],
    ['event plain nothing', '-ERR no keywords supplied'],
    ['filter Unique-ID abc', '+OK filter added. [Unique-ID]=[abc]'],
    ['filter delete Unique-ID', '+OK filter deleted. [Unique-ID][]'],
    ['bgapi status\nJob-UUID: j1', '+OK Job-UUID: j1'],
    ['nonsense', '-ERR command not found'],
    ['sendmsg 1234\ncall-command: hangup', '-ERR invalid session id [1234]'],
    ['linger', '-ERR not controlling a session'],
  ];
  for (const [command, reply] of replies) t.equal((await member.command(command)).headers['Reply-Text'], reply);
  t.match(await member.api('sofia status'), /^\s*drachtio_mrf\s.*sip:mod_sofia@127\.0\.0\.1:\d+\tRUNNING/m);
  t.equal(await member.api('nonsense x'), '-ERR nonsense Command not found!\n');
  t.match((await member.command('exit')).headers['Reply-Text'], '+OK bye');
  await member.closed();
  const liar = await EslClient.member(mediad.eventSocketPort, SECRET);
  t.match((await liar.command('api status\nContent-Length: -5')).headers['Reply-Text'], /^-ERR too large/);
  await liar.closed();
});

void t.test('strangers who fill the event socket, and then reset what is turned away, end nothing', async (t) => {
  const { mediad, caller } = await aSystem(t);
  const strangers = await Promise.all(Array.from({ length: 64 }, () => EslClient.dial(mediad.eventSocketPort)));
  for (let i = 0; i < 200; i++) {
    const socket = connect(mediad.eventSocketPort, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('auth x\n\n');
    socket.resetAndDestroy();
  }
  const turnedAway = connect({ port: mediad.eventSocketPort, host: '127.0.0.1', allowHalfOpen: true });
  t.match(String((await once(turnedAway, 'data'))[0]), /^Content-Type: text\/rude-rejection/);
  turnedAway.destroy();
  for (const stranger of strangers) stranger.close();
  t.equal((await caller.options(`sip:x@${mediad.sipAddress}`)).status, 200);
});

void t.test('events come in FreeSWITCH\u2019s order, and a hang-up completes all that waits', async (t) => {
  const system = shared;
  const { phone, call, esl, data, execute, uuid } = await aLeg(system);
  t.match(data, {
    'Event-Name': 'CHANNEL_DATA',
    'Channel-Unique-ID': uuid,
    'Answer-State': 'answered',
    variable_rtp_use_codec_string: 'PCMU,PCMA',
  });
  await execute('playback', 'tone_stream://%(100,0,400)', 'a');
  await esl.event('CHANNEL_EXECUTE_COMPLETE', (e) => e['Application-UUID'] === 'a');
  const order = esl.messages.map((m) => m.event['Event-Name']).filter((name) => name !== undefined);
  t.same(order, ['CHANNEL_EXECUTE', 'PLAYBACK_START', 'PLAYBACK_STOP', 'CHANNEL_EXECUTE_COMPLETE']);
  await execute('set', 'x=${system rm -rf}%41', 'b');
  await execute('playback', 'silence_stream://-1', 'c');
  await execute('sleep', '60000', 'd');
  await execute('play_and_get_digits', "1 1 1 100 # silence_stream://1 silence_stream://1 v '\\d' 100", 'e');
  t.equal(
    await (await EslClient.member(system.mediad.eventSocketPort, SECRET)).api(`uuid_getvar ${uuid} x`),
    '${system rm -rf}%41',
  );
  const from = esl.messages.length;
  call.bye();
  await esl.closed();
  const tail = esl.messages
    .slice(from)
    .map((m) =>
      m.event['Event-Name']
        ? `${m.event['Event-Name']} ${m.event['Application-UUID'] ?? ''}`.trim()
        : m.headers['Content-Type'],
    );
  t.same(
    tail.filter((name) => !name?.startsWith('PLAYBACK_')),
    [
      'CHANNEL_EXECUTE_COMPLETE c',
      'CHANNEL_EXECUTE_COMPLETE d',
      'CHANNEL_EXECUTE_COMPLETE e',
      'CHANNEL_STATE',
      'CHANNEL_CALLSTATE',
      'CHANNEL_HANGUP',
      'CHANNEL_STATE',
      'CHANNEL_HANGUP_COMPLETE',
      'CHANNEL_DESTROY',
      'text/disconnect-notice',
    ],
  );
  phone.close();
});

void t.test('calls that are not for us are refused: no application, a foreign host, no common codec', async (t) => {
  const { mediad, caller, application } = shared;
  const phone = await RtpPhone.open();
  const invite = (headers: Record<string, string>, sdp: string | undefined) =>
    caller.invite(`sip:drachtio@${mediad.sipAddress}`, headers, sdp);
  t.equal((await invite({}, phone.sdp)).response.status, 404);
  t.equal((await invite({ 'X-esl-outbound': '203.0.113.9:80' }, phone.sdp)).response.status, 403);
  t.equal((await invite({ 'X-esl-outbound': 'localhost' }, phone.sdp)).response.status, 403);
  t.equal((await invite({ 'X-esl-outbound': application.address }, 'garbage')).response.status, 488);
  t.equal(
    (await invite({ 'X-esl-outbound': application.address }, phone.sdp.replace('RTP/AVP', 'RTP/SAVP'))).response.status,
    488,
  );
  const nowhere = phone.sdp.replace(/m=audio \d+/, 'm=audio 70000');
  t.equal((await invite({ 'X-esl-outbound': application.address }, nowhere)).response.status, 488);
  const { call } = await invite({ 'X-esl-outbound': '127.0.0.1:1' }, phone.sdp);
  call?.ack();
  await call?.ended();
  t.match(mediad.log.join(), /"reason":"ECONNREFUSED","msg":"application not reached"/);
  t.equal((await caller.options(`sip:x@${mediad.sipAddress}`)).status, 200);
  phone.close();
});

void t.test(
  'no free RTP port is 503 and not a silent call; a phone that falls silent is told, and hung up if so wished',
  async (t) => {
    const even = await freeUdpPort();
    const system = await aSystem(t, { rtp: { portsFrom: even, portsTo: even + 1, silenceMs: 300 } });
    const { phone, call, esl, execute } = await aLeg(system);
    const refused = await system.caller.invite(
      `sip:x@${system.mediad.sipAddress}`,
      { 'X-esl-outbound': system.application.address },
      phone.sdp,
    );
    t.equal(refused.response.status, 503);
    await esl.command('event json CUSTOM wardline::media_timeout');
    phone.say(400);
    await execute('set', 'media_timeout=200', 'm');
    phone.mute();
    const event = await esl.event('CUSTOM', (e) => e['Event-Subclass'] === 'wardline::media_timeout');
    t.ok(JSON.parse(event['_body'] ?? '').silentMs >= 300);
    await call.ended();
    phone.close();
  },
);

void t.test('a phone that still talks to the leg before does not keep the one after from its own phone', async (t) => {
  const even = await freeUdpPort();
  const system = await aSystem(t, { rtp: { portsFrom: even, portsTo: even + 1, silenceMs: 60_000 } });
  const before = await aLeg(system);
  before.phone.say(400);
  before.call.bye();
  await before.call.ended();
  // It has the same port: there is no other.
  const after = await until('the port to be free', () => aLeg(system, {}, { isSilent: true }).catch(() => undefined));
  await after.execute('playback', 'tone_stream://%(60000,0,500)', 'a');
  await before.phone.hears(500);
  after.talk();
  await after.phone.hears(500);
  before.phone.close();
  after.phone.close();
});

void t.test('garbage on every port changes nothing for a running call', async (t) => {
  const system = shared;
  const { phone, esl, execute, data, call } = await aLeg(system);
  await execute('playback', 'tone_stream://%(60000,0,500)', 'a');
  await phone.hears(500);
  const socket = createSocket('udp4');
  const ports = [Number(system.mediad.sipAddress.split(':')[1]), Number(data['variable_local_media_port'])];
  for (let i = 0; i < 300; i++) {
    const noise = Buffer.from(Array.from({ length: (i * 7) % 400 }, (_, at) => (at * 31 + i * 17) & 0xff));
    if (i % 3 === 0) noise.write('INVITE sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n');
    if (i % 3 === 1 && noise.length > 12) noise[0] = 0x80;
    for (const port of ports) socket.send(noise, port, '127.0.0.1');
  }
  socket.close();
  const broken = await EslClient.dial(system.mediad.eventSocketPort);
  broken.socket.write(Buffer.alloc(100_000, 0x0a));
  broken.socket.write(Buffer.alloc(5000, 0x80));
  await broken.closed();
  const heard = phone.packets.length;
  await phone.until('a second more', () => phone.packets.length > heard + 50);
  await phone.hears(500);
  t.equal(esl.isClosed, false);
  const page = await (await fetch(`http://${system.mediad.metricsAddress}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^mediad_${name} (\\S+)$`, 'm').exec(page)?.[1]);
  t.equal(value('legs\\{worker="0"\\}'), 1);
  t.match(page, /^mediad_legs_by_codec\{worker="0",codec="PCMU"\} 1$/m);
  t.ok(value('packets_sent_total\\{worker="0"\\}') > 50, page);
  t.ok(value('cpu_per_leg\\{worker="0"\\}') > 0);
  t.ok(value('clock_lateness_seconds_count\\{worker="0"\\}') > 50);
  call.bye();
  await esl.closed();
  phone.close();
});

void t.test(
  'an application that dies: the bridge stays; alone, the leg hears a hold tone and is hung up in the end',
  async (t) => {
    const system = await aSystem(t, { unattendedMs: 1500 });
    const a = await aLeg(system);
    const b = await aLeg(system);
    const other = await EslClient.member(system.mediad.eventSocketPort, SECRET);
    t.equal(await other.api(`uuid_bridge ${a.uuid} ${b.uuid}`), `+OK ${b.uuid}\n`);
    a.phone.say(440);
    b.phone.say(700);
    await Promise.all([a.phone.hears(700), b.phone.hears(440)]);
    a.esl.close();
    b.esl.close();
    const heard = b.phone.packets.length;
    await b.phone.until('two seconds more', () => b.phone.packets.length > heard + 100);
    await b.phone.hears(440);
    const gaps = b.phone.packets
      .slice(heard)
      .filter((p, i, all) => i > 0 && ((p.sequence - all[i - 1]!.sequence) & 0xffff) !== 1);
    t.same(gaps, []);
    // A returning application takes a leg over again.
    const back = await EslApplication.open();
    t.equal(await other.api(`uuid_transfer ${b.uuid} 'socket:${back.address} async full' inline`), '+OK\n');
    const again = await back.accept();
    t.equal(again.uuid, b.uuid);
    a.call.bye();
    await again.esl.event('CHANNEL_PARK');
    await b.phone.hearsNothing();
    again.esl.close();
    const start = b.phone.packets.length;
    await b.phone.until('the hold tone', () => b.phone.heard(start).some((sample) => sample > 500));
    await b.call.ended();
    t.equal(await other.api('show channels count'), '\n0 total.\n');
    back.close();
    other.close();
    a.phone.close();
    b.phone.close();
  },
);

void t.test(
  'an application that dies: a prompt and a conference go on, and the next one takes them over',
  async (t) => {
    const system = shared;
    const legs = [await aLeg(system), await aLeg(system), await aLeg(system)] as const;
    const [listener, one, other] = legs;
    await listener.execute('playback', 'tone_stream://%(1000,0,500);loops=-1', 'prompt');
    await one.execute('conference', 'room', 'in');
    await other.execute('conference', 'room', 'in');
    one.phone.say(440);
    other.phone.say(700);
    const hear = () => Promise.all([listener.phone.hears(500), one.phone.hears(700), other.phone.hears(440)]);
    await hear();
    for (const { esl } of legs) {
      esl.close();
      await esl.closed();
    }
    const member = await EslClient.member(system.mediad.eventSocketPort, SECRET);
    const since = listener.phone.packets.length;
    await listener.phone.until('a second more', () => listener.phone.packets.length > since + 50);
    await hear();
    t.equal(await member.api('conference room list count'), '2');
    const back = await EslApplication.open();
    for (const { uuid, phone } of legs) {
      const from = phone.packets.length;
      t.equal(await member.api(`uuid_transfer ${uuid} 'socket:${back.address} async full' inline`), '+OK\n');
      const again = await back.accept();
      t.equal(again.uuid, uuid);
      await phone.until('what it heard to go on', () => phone.packets.length > from + 25);
    }
    await hear();
    t.equal(await member.api('conference room list count'), '2', 'nobody has left for that');
    for (const { call, phone } of legs) {
      call.bye();
      phone.close();
    }
    back.close();
    member.close();
  },
);

void t.test('one side of a bridge that nobody controls hangs up or is gone: so does the other', async (t) => {
  const system = await aSystem(t, { unattendedMs: 1500, rtp: { portsFrom: 0, portsTo: 0, silenceMs: 400 } });
  for (const how of ['BYE', 'cable'] as const) {
    const a = await aLeg(system);
    const b = await aLeg(system);
    const other = await EslClient.member(system.mediad.eventSocketPort, SECRET);
    t.equal(await other.api(`uuid_bridge ${a.uuid} ${b.uuid}`), `+OK ${b.uuid}\n`);
    b.phone.say(700);
    await a.phone.hears(700);
    a.esl.close();
    b.esl.close();
    if (how === 'BYE') a.call.bye();
    else a.phone.mute();
    await b.call.ended();
    // The BYE leaves before the media thread has answered with its last report.
    t.ok(await until('no channel', async () => (await other.api('show channels count')) === '\n0 total.\n'), how);
    other.close();
    a.phone.close();
    b.phone.close();
  }
});

void t.test('kill -9 in the middle of a recording loses the last second at most', async (t) => {
  const system = await aSystem(t);
  const { phone, execute, esl } = await aLeg(system);
  const file = join(system.mediad.recordings, 'killed.sealed');
  phone.say(600);
  await execute('record', file, 'r');
  await esl.event('RECORD_START');
  const from = phone.sent.length;
  await phone.until('three seconds', () => phone.sent.length - from > 160);
  const sent = phone.sent.length - from;
  system.mediad.process.kill('SIGKILL');
  await once(system.mediad.process, 'exit');
  const opened = await openSealed(await readFile(file), [identity]);
  if (opened.kind === 'refused') throw new Error(opened.reason);
  t.equal(opened.ending, 'truncated');
  t.same(opened.damaged, []);
  t.ok(opened.audio.length >= sent * 160 - 8000 - 4000, `${opened.audio.length} of ${sent * 160}`);
  t.ok(Buffer.concat(phone.sent).includes(Buffer.from(opened.audio)));
  phone.close();
});

void t.test('SIGTERM says goodbye to every leg and completes the recordings', async (t) => {
  const system = await aSystem(t);
  const { phone, execute, call, esl } = await aLeg(system);
  const file = join(system.mediad.recordings, 'stopped.sealed');
  await execute('record', file, 'r');
  await esl.event('RECORD_START');
  const from = phone.sent.length;
  await phone.until('half a second', () => phone.sent.length - from > 25);
  system.mediad.process.kill('SIGTERM');
  const [code] = (await once(system.mediad.process, 'exit')) as [number];
  t.equal(code, 0);
  await call.ended();
  t.match(await openSealed(await readFile(file), [identity]), { kind: 'opened', ending: 'complete' });
  phone.close();
});

async function aSystemOfTwoThreads(t: Parameters<typeof aSystem>[0]) {
  const system = await aSystem(t, { workers: 2, metrics: { port: 0 } });
  const metrics = async () => (await fetch(`http://${system.mediad.metricsAddress}/metrics`)).text();
  return { system, metrics };
}

async function hangUp(legs: readonly Awaited<ReturnType<typeof aLeg>>[]): Promise<void> {
  for (const { phone, call, esl } of legs) {
    call.bye();
    await esl.closed();
    phone.close();
  }
}

void t.test('legs of different media threads are bridged too', async (t) => {
  const { system, metrics } = await aSystemOfTwoThreads(t);
  const a = await aLeg(system);
  const b = await aLeg(system);
  t.match(await metrics(), /^mediad_legs\{worker="0"\} 1$[^]*^mediad_legs\{worker="1"\} 1$/m);
  const esl = await EslClient.member(system.mediad.eventSocketPort, SECRET);
  await esl.api(`uuid_bridge ${a.uuid} ${b.uuid}`);
  a.phone.say(440);
  b.phone.say(700);
  await Promise.all([a.phone.hears(700), b.phone.hears(440)]);
  await esl.api(`uuid_kill ${a.uuid}`);
  await a.call.ended();
  await b.phone.hearsNothing();
  esl.close();
  b.call.bye();
  await b.esl.closed();
  a.phone.close();
  b.phone.close();
});

void t.test('legs of one call share a thread, others take the one that has least', async (t) => {
  const { system, metrics } = await aSystemOfTwoThreads(t);
  const legs = [];
  for (const callId of ['one.1', 'two.1', 'two.2', 'two.3', 'three.1', 'one@a.b.c']) {
    legs.push(await aLeg(system, { 'Call-ID': callId }));
  }
  const page = await metrics();
  t.match(page, /^mediad_legs\{worker="0"\} 3$/m);
  t.match(page, /^mediad_legs\{worker="1"\} 3$/m);
  await hangUp(legs);
});

void t.test('a sealed recording is heard by the leg it is lent to, once, and its key shows nowhere', async (t) => {
  const system = shared;
  const { phone, execute, completed, esl, uuid, call } = await aLeg(system);
  const file = join(system.mediad.recordings, 'lent.sealed');
  phone.say(600);
  await execute('record', `${file} 2`, 'r');
  await completed('r');
  phone.mute();
  const found = await sealedKey(file, [identity]);
  if (found.kind === 'refused') throw new Error(found.reason);
  const key = Buffer.from(found.key).toString('base64url');
  const member = await EslClient.member(system.mediad.eventSocketPort, SECRET);
  const lend = (what: string) => member.api(`wardline_lend ${uuid} ${what}`);
  t.match(await lend(`${file} ${key.slice(1)}`), /^-ERR wardline_lend needs/);
  t.match(await lend(`/etc/passwd ${key}`), /^-ERR the path is outside the recordings folder/);
  const word = /^\+OK ([0-9a-f]{32})\n$/.exec(await lend(`${file} ${key}`))?.[1];
  if (word === undefined) throw new Error('it was not lent');
  const [from, samples] = [phone.packets.length, 2 * 8000];
  await execute('playback', `sealed://${word}`, 'play');
  await phone.hears(600);
  t.match(await completed('play'), { 'Application-Response': 'FILE PLAYED' });
  t.ok(phone.heard(from).length >= samples * 0.9, 'to its end');
  await execute('playback', `sealed://${word}`, 'again');
  t.match((await completed('again'))['Application-Response'], /NOT FOUND/i, 'a word is good for one time');
  const shown = JSON.stringify(esl.messages.map(({ event }) => event)) + (await member.api(`uuid_dump ${uuid}`));
  t.notMatch(shown, new RegExp(key.slice(4, 30)), 'no event and no dump has the key');
  member.close();
  call.bye();
  await esl.closed();
  phone.close();
});

void t.test('a recording ends by its time limit, and by silence', async (t) => {
  const system = shared;
  const { phone, execute, completed, esl, call } = await aLeg(system);
  await execute('record', `${join(system.mediad.recordings, 'short.sealed')} 1`, 'limit');
  t.match(await completed('limit'), {
    variable_record_completion_cause: 'success-maxtime',
    'Application-Response': '_none_',
  });
  await execute('record', `${join(system.mediad.recordings, 'quiet.sealed')} 60 200 1`, 'quiet');
  t.match(await completed('quiet'), { variable_record_completion_cause: 'success-silence' });
  await execute('record', join(system.mediad.recordings, 'quiet.sealed'), 'again');
  t.match((await completed('again'))['Application-Response'], /EEXIST/, 'nothing is ever written over');
  t.same(esl.messages.filter((m) => m.event['Event-Name'] === 'RECORD_STOP').length, 2);
  call.bye();
  await esl.closed();
  phone.close();
});
