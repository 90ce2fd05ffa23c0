/**
 * What the event socket tells of a leg: events, their order, their headers, variables. Runs on mediad; with `npm run test:real` on
 * FreeSWITCH. Where a row has two expectations, the second is mediad's, and its reason stands in docs/engines.md.
 */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { EslClient, type EslMessage } from '../support/esl-client.ts';
import { aServer } from '../support/esl-server.ts';
import { freeswitch } from '../support/freeswitch.ts';
import { until } from '../support/processes.ts';
import { RtpPhone } from '../support/rtp-phone.ts';

type Leg = Awaited<ReturnType<Awaited<ReturnType<typeof aServer>>['leg']>>;
type Event = EslMessage['event'];

const skip = freeswitch?.kind === 'running';
const isMediad = freeswitch === undefined;
const server = skip ? undefined : await aServer(t);

/** Told of every leg, and asked of here. Others (CODEC, MEDIA_BUG_START, CALL_UPDATE, …) are of FreeSWITCH's inside. */
const ASKED = new Set(
  `CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE PLAYBACK_START PLAYBACK_STOP RECORD_START RECORD_STOP DTMF DETECTED_TONE
   CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PARK CHANNEL_UNPARK`.split(/\s+/),
);

const nameOf = (event: Event) => event['Event-Name'] ?? '';
const namesOf = (events: readonly Event[]) => events.map(nameOf).filter((name) => ASKED.has(name));

/** Sends an application, and resolves with what was told from there to its end. `meanwhile` is begun when it runs. */
async function run(leg: Leg, application: string, args: string, meanwhile?: () => Promise<unknown>) {
  const from = leg.esl.messages.length;
  const id = randomUUID();
  const lines = [`execute-app-name: ${application}`, `execute-app-arg: ${args}`, `Event-UUID: ${id}`];
  await leg.esl.command(`sendmsg\ncall-command: execute\n${lines.join('\n')}`);
  if (meanwhile !== undefined) {
    await leg.esl.event('CHANNEL_EXECUTE', (event) => event['Application-UUID'] === id, from);
    await meanwhile();
  }
  const done = await leg.esl.event('CHANNEL_EXECUTE_COMPLETE', (event) => event['Application-UUID'] === id, from);
  const events = leg.esl.messages.slice(from).map(({ event }) => event);
  return { done, events: events.slice(0, events.indexOf(done) + 1) };
}

const variable = (event: Event, name: string) => event[`variable_${name}`];

void t.test('a leg introduces itself with the headers and variables that a client reads', { skip }, async (t) => {
  const { data, call, phone } = await server!.leg();
  t.match(data, {
    'Event-Name': 'CHANNEL_DATA',
    'Channel-State': 'CS_EXECUTE',
    'Channel-Call-State': 'ACTIVE',
    'Channel-State-Number': '4',
    'Answer-State': 'answered',
    'Call-Direction': 'inbound',
    'Channel-HIT-Dialplan': 'true',
    'Caller-Direction': 'inbound',
    'Caller-Logical-Direction': 'inbound',
    'Caller-Dialplan': 'XML',
    'Caller-Context': 'mrf',
    'Caller-Source': 'mod_sofia',
    'Caller-Destination-Number': 'drachtio',
    'Caller-Channel-Answered-Time': /^[1-9]\d{15}$/,
    'Caller-Channel-Created-Time': /^[1-9]\d{15}$/,
    'Channel-Name': /^sofia\/drachtio_mrf\//,
    'Channel-Read-Codec-Name': 'PCMU',
    'Channel-Read-Codec-Rate': '8000',
    'Channel-Write-Codec-Name': 'PCMU',
    'Content-Type': 'command/reply',
    'Reply-Text': '+OK\n',
    'Socket-Mode': 'async',
    Control: 'full',
  });
  for (const name of ['Core-UUID', 'Unique-ID', 'Channel-Unique-ID', 'Channel-Call-UUID', 'Caller-Unique-ID'])
    t.match(data[name], /^[0-9a-f-]{36}$/, name);
  t.equal(data['Unique-ID'], data['Channel-Call-UUID']);
  for (const [name, value] of Object.entries({
    uuid: data['Unique-ID'],
    call_uuid: data['Unique-ID'],
    channel_name: data['Channel-Name'],
    direction: 'inbound',
    endpoint_disposition: 'ANSWER',
    sip_call_id: /./,
    sip_user_agent: /^drachtio-fsmrf:/,
    'sip_h_X-esl-outbound': /^127\.0\.0\.1:\d+$/,
    sip_from_user: /./,
    sip_from_host: '127.0.0.1',
    sip_to_user: 'drachtio',
    sip_to_host: '127.0.0.1',
    rtp_local_sdp_str: /^v=0\r\n/,
    switch_r_sdp: /^v=0\r\n/,
    local_media_ip: '127.0.0.1',
    local_media_port: /^\d+$/,
    remote_media_ip: '127.0.0.1',
    remote_media_port: String(phone.port),
    dtmf_type: 'rfc2833',
    read_codec: 'PCMU',
    read_rate: '8000',
    write_codec: 'PCMU',
    write_rate: '8000',
    rtp_use_codec_name: 'PCMU',
    rtp_use_codec_rate: '8000',
    rtp_use_codec_ptime: '20',
    rtp_use_codec_string: /PCMU/,
    rtp_use_pt: '0',
    playback_terminators: 'none',
    hangup_after_bridge: 'false',
    park_after_bridge: 'true',
  }))
    t.match({ [name]: variable(data, name) }, { [name]: value }, name);
  call.bye();
});

interface Told {
  readonly application: string;
  readonly args: string;
  /** Between CHANNEL_EXECUTE and CHANNEL_EXECUTE_COMPLETE. */
  readonly events?: readonly string[];
  readonly variables?: Readonly<Record<string, string | RegExp>>;
  readonly ofMediad?: Readonly<Record<string, string | RegExp>>;
  readonly response?: string;
  readonly keys?: string;
}

const PLAYED = ['PLAYBACK_START', 'PLAYBACK_STOP'];
const silence = (ms: number) => `silence_stream://${ms}`;
const tone = 'tone_stream://%(200,0,440)';

const told: readonly Told[] = [
  { application: 'set', args: 'foo=a b', variables: { foo: 'a b', current_application: 'set' } },
  { application: 'multiset', args: '^^^one=1^two=2', variables: { one: '1', two: '2', foo: 'a b' } },
  { application: 'export', args: 'three=3', variables: { three: '3', current_application_data: 'three=3' } },
  { application: 'unset', args: 'foo', variables: { foo: '' } },
  { application: 'set', args: 'one=', variables: { one: '' } },
  { application: 'pre_answer', args: '' },
  { application: 'answer', args: '' },
  { application: 'break', args: '' },
  { application: 'flush_dtmf', args: '' },
  { application: 'sleep', args: '20' },
  { application: 'set', args: 'playback_delimiter=!' },
  { application: 'playback', args: tone, events: PLAYED, response: 'FILE PLAYED', variables: playedMs(200) },
  {
    application: 'playback',
    args: `${silence(100)}!${silence(60)}`,
    events: [...PLAYED, ...PLAYED],
    response: 'FILE PLAYED',
    variables: { playback_ms: '60', playback_samples: '480' },
    ofMediad: { playback_ms: '160', playback_samples: '1280' },
  },
  { application: 'playback', args: 'nosuch.wav', response: 'FILE NOT FOUND' },
  { application: 'set', args: 'playback_timeout_sec=1' },
  {
    application: 'playback',
    args: 'tone_stream://%(5000,0,440)',
    events: PLAYED,
    response: 'FILE PLAYED',
    variables: { playback_seconds: '5' },
    ofMediad: { playback_seconds: '1' },
  },
  { application: 'unset', args: 'playback_timeout_sec' },
  {
    application: 'play_and_get_digits',
    args: `1 1 1 30000 # ${silence(30_000)} ${silence(100)} first \\d+ 1000`,
    events: ['PLAYBACK_START', 'DTMF', 'PLAYBACK_STOP'],
    keys: '5',
    variables: { first: '5', first_invalid: '' },
  },
  {
    application: 'play_and_get_digits',
    args: `1 3 1 30000 # ${silence(30_000)} ${silence(100)} more \\d+ 30000`,
    events: ['PLAYBACK_START', 'DTMF', 'PLAYBACK_STOP', 'DTMF'],
    keys: '1#',
    variables: { more: '1', read_terminator_used: '#' },
  },
  {
    application: 'play_and_get_digits',
    args: `1 1 1 30000 none ${silence(30_000)} ${silence(100)} wrong [12] 1000`,
    events: ['PLAYBACK_START', 'DTMF', 'PLAYBACK_STOP', ...PLAYED],
    keys: '9',
    variables: { wrong: '', wrong_invalid: '9' },
  },
  {
    application: 'play_and_get_digits',
    args: `1 1 1 100 # ${silence(60)} ${silence(60)} nothing \\d+ 100`,
    events: [...PLAYED, ...PLAYED],
    variables: { nothing: '' },
  },
];

function playedMs(ms: number) {
  return {
    playback_ms: String(ms),
    playback_samples: String(ms * 8),
    playback_seconds: String(Math.floor(ms / 1000)),
    playback_last_offset_pos: String(ms * 8),
  };
}

void t.test('applications: what they tell while they run, and the variables they leave', { skip }, async (t) => {
  const leg = await server!.leg();
  for (const { application, args, events = [], variables = {}, ofMediad, response = '_none_', keys = '' } of told) {
    const label = `${application} ${args}`;
    const press = async () => {
      await leg.esl.event('PLAYBACK_START', () => true, from);
      for (const key of keys) await leg.phone.press(key);
    };
    const from = leg.esl.messages.length;
    const ran = await run(leg, application, args, keys === '' ? undefined : press);
    t.same(namesOf(ran.events), ['CHANNEL_EXECUTE', ...events, 'CHANNEL_EXECUTE_COMPLETE'], label);
    t.match(ran.done, { Application: application, 'Application-Response': response }, label);
    t.equal(ran.done['Application-Data'] ?? '', args, label);
    const expected = isMediad ? (ofMediad ?? variables) : variables;
    for (const [name, value] of Object.entries(expected)) {
      const is = variable(ran.done, name) ?? '';
      if (typeof value === 'string') t.equal(is, value, `${label}: ${name}`);
      else t.match(is, value, `${label}: ${name}`);
    }
    const [stopped] = ran.events.filter((event) => nameOf(event) === 'PLAYBACK_STOP');
    if (stopped !== undefined)
      t.equal(stopped['Playback-Status'], keys !== '' ? 'break' : 'done', `${label}: how it ended`);
    for (const event of ran.events)
      if (ASKED.has(nameOf(event)))
        t.equal(variable(event, 'uuid') !== undefined, nameOf(event) !== 'DTMF', nameOf(event));
  }
  leg.call.bye();
});

void t.test('a recording: its events, its variables, how it is ended by a key and by silence', { skip }, async (t) => {
  const leg = await server!.leg();
  const file = (name: string) => `${server!.recordings}/${randomUUID()}-${name}.wav`;
  const recorded = ['CHANNEL_EXECUTE', 'RECORD_START', 'RECORD_STOP', 'CHANNEL_EXECUTE_COMPLETE'];
  leg.phone.say(700);
  const limited = file('limited');
  const { done, events } = await run(leg, 'record', `${limited} 1`);
  t.same(namesOf(events), recorded);
  for (const event of events.filter((event) => nameOf(event).startsWith('RECORD')))
    t.equal(event['Record-File-Path'], limited);
  t.match(variable(done, 'record_seconds'), /^[12]$/, 'FreeSWITCH is up to a second late');
  t.equal(Number(variable(done, 'record_samples')), Number(variable(done, 'record_ms')) * 8);

  await run(leg, 'set', 'playback_terminators=#');
  const keyed = await run(leg, 'record', `${file('keyed')} 60 200 60`, () => leg.phone.press('#'));
  t.equal(variable(keyed.done, 'playback_terminator_used'), '#');
  t.ok(namesOf(keyed.events).includes('DTMF'));
  await run(leg, 'set', 'playback_terminators=none');
  leg.phone.say(undefined);
  t.same(namesOf((await run(leg, 'record', `${file('silent')} 60 200 1`)).events), recorded);

  const session = file('session');
  t.same(namesOf((await run(leg, 'record_session', session)).events), [
    'CHANNEL_EXECUTE',
    'RECORD_START',
    'CHANNEL_EXECUTE_COMPLETE',
  ]);
  await run(leg, 'sleep', '300');
  const from = leg.esl.messages.length;
  await run(leg, 'stop_record_session', session);
  t.match(await leg.esl.event('RECORD_STOP', () => true, from), { 'Record-File-Path': session });
  leg.call.bye();
});

void t.test('a key is told with where it came from: RTP, INFO, the application, the sound', { skip }, async (t) => {
  const leg = await server!.leg();
  const next = async (source: string, digit: string, begin: () => Promise<unknown>) => {
    const from = leg.esl.messages.length;
    await begin();
    return leg.esl.event('DTMF', (event) => event['DTMF-Source'] === source && event['DTMF-Digit'] === digit, from);
  };
  t.equal((await next('RTP', '1', () => leg.phone.press('1', { frames: 8 })))['DTMF-Duration'], '1280');
  const info = (body: string, type = 'dtmf-relay') => leg.call.request('INFO', `application/${type}`, body);
  t.equal((await next('ENDPOINT', '2', () => info('Signal=2\r\nDuration=160\r\n')))['DTMF-Duration'], '1280');
  await next('ENDPOINT', '*', () => info('Signal=10\r\nDuration=160\r\n'));
  t.equal((await next('APP', '3', () => server!.esl.api(`uuid_recv_dtmf ${leg.uuid} 3`)))['DTMF-Duration'], '2000');
  t.equal((await next('APP', '4', () => run(leg, 'queue_dtmf', '4@200')))['DTMF-Duration'], '1600');
  await run(leg, 'start_dtmf', '');
  // FreeSWITCH tells it when it begins, mediad, with its length, when it ends.
  await next('INBAND_AUDIO', '5', async () => {
    leg.phone.say(770, 1336);
    const heard = leg.phone.packets.length;
    await leg.phone.until('the key to last', () => leg.phone.packets.length > heard + 15);
    leg.phone.say(undefined);
  });
  leg.call.bye();
});

void t.test(
  'a tone is told by its name; an event of the application’s own carries its headers',
  { skip },
  async (t) => {
    const leg = await server!.leg();
    await run(leg, 'tone_detect', 'mine 700 r');
    leg.phone.say(700);
    t.equal((await leg.esl.event('DETECTED_TONE'))['Detected-Tone'], 'mine');
    leg.phone.say(undefined);
    await run(leg, 'stop_tone_detect', '');
    await run(leg, 'event', 'Event-Name=CUSTOM,Event-Subclass=my::own,a=b');
    t.match(await leg.esl.event('CUSTOM', (event) => event['Event-Subclass'] === 'my::own'), {
      a: 'b',
      'Unique-ID': leg.uuid,
    });
    leg.call.bye();
  },
);

void t.test('a bridge is told of the leg that was told to bridge; both are parked behind it', { skip }, async (t) => {
  const [a, b] = [await server!.leg(), await server!.leg()];
  const from = [a, b].map(({ esl }) => esl.messages.length);
  const since = (leg: Leg, at: number) => leg.esl.messages.slice(at).map(({ event }) => event);
  const legs = { 'Bridge-A-Unique-ID': a.uuid, 'Bridge-B-Unique-ID': b.uuid, 'Other-Leg-Unique-ID': b.uuid };
  t.match(await server!.esl.api(`uuid_bridge ${a.uuid} ${b.uuid}`), `+OK ${b.uuid}\n`);
  t.match(await a.esl.event('CHANNEL_BRIDGE'), legs);
  const both = async () => [
    await server!.esl.api(`uuid_getvar ${a.uuid} bridge_uuid`),
    await server!.esl.api(`uuid_getvar ${b.uuid} bridge_uuid`),
  ];
  await until('both to know each other', async () => (await both()).join() === [b.uuid, a.uuid].join());
  // A key passes in either direction, by whatever way it comes, with its length and its ends.
  for (const [digit, from, to, press] of [
    [1, a, b, () => a.phone.press('1', { frames: 8 })],
    [2, b, a, () => b.phone.press('2', { frames: 8 })],
    [6, a, b, () => a.call.request('INFO', 'application/dtmf-relay', 'Signal=6\r\nDuration=160\r\n')],
    [7, b, a, () => b.call.request('INFO', 'application/dtmf', '7')],
  ] as const) {
    await press();
    const ends = () =>
      to.phone.packets.filter(
        ({ payloadType, payload }) => payloadType === 101 && payload[0] === digit && (payload[1]! & 0x80) !== 0,
      );
    await to.phone.until(`the end of key ${digit}`, () => ends().length >= 3);
    if (digit !== 7) t.equal(ends().at(-1)!.payload.readUInt16BE(2), 1280, `key ${digit} has its length`);
    t.equal(new Set(ends().map(({ timestamp }) => timestamp)).size, 1, `${from.uuid}: one press`);
  }
  t.match(await server!.esl.api(`uuid_transfer ${a.uuid} -both park inline`), /^\+OK/);
  t.match(await a.esl.event('CHANNEL_UNBRIDGE'), { ...legs, 'Other-Leg-Unique-ID': isMediad ? b.uuid : undefined });
  await a.esl.event('CHANNEL_PARK', () => true, from[0]);
  await b.esl.event('CHANNEL_PARK', () => true, from[1]);
  const told = (leg: Leg, at: number) =>
    namesOf(since(leg, at)).filter((name) => !/^(CHANNEL_EXECUTE|DTMF)/.test(name));
  t.same(told(a, from[0]!), ['CHANNEL_UNPARK', 'CHANNEL_BRIDGE', 'CHANNEL_UNBRIDGE', 'CHANNEL_PARK']);
  t.same(told(b, from[1]!), ['CHANNEL_UNPARK', 'CHANNEL_PARK']);
  a.call.bye();
  b.call.bye();
});

void t.test(
  'the end of a leg: its states, its cause, and the connection that closes behind it',
  { skip },
  async (t) => {
    for (const [how, cause] of [
      ['uuid_kill', 'USER_BUSY'],
      ['hangup', 'CALL_REJECTED'],
      ['sendmsg', 'NO_ANSWER'],
      ['bye', 'NORMAL_CLEARING'],
    ] as const) {
      const watch = await EslClient.member(server!.port, server!.secret);
      await watch.command(
        'event json CHANNEL_CALLSTATE CHANNEL_STATE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY',
      );
      const leg = await server!.leg();
      // Legs of earlier tests may still be ending.
      const isIts = (event: Event) => event['Unique-ID'] === leg.uuid;
      // FreeSWITCH dials the application before it has told everybody that the leg is answered.
      await watch.event('CHANNEL_CALLSTATE', (event) => isIts(event) && event['Channel-Call-State'] === 'ACTIVE');
      await watch.command(`filter Unique-ID ${leg.uuid}`);
      if (how === 'uuid_kill') t.equal(await server!.esl.api(`uuid_kill ${leg.uuid} ${cause}`), '+OK\n');
      else if (how === 'hangup')
        await leg.esl.command(`sendmsg\ncall-command: execute\nexecute-app-name: hangup\nexecute-app-arg: ${cause}`);
      else if (how === 'sendmsg') await leg.esl.command(`sendmsg\ncall-command: hangup\nhangup-cause: ${cause}`);
      else leg.call.bye();
      await watch.event('CHANNEL_DESTROY', isIts);
      await watch.event('CHANNEL_STATE', (event) => isIts(event) && event['Channel-State'] === 'CS_DESTROY');
      const events = watch.messages
        .map(({ event }) => event)
        .filter((event) => isIts(event) && event['Hangup-Cause'] !== undefined);
      t.same(
        events.map((event) => `${nameOf(event)} ${event['Channel-State']}`).sort(),
        [
          `CHANNEL_CALLSTATE CS_HANGUP`,
          'CHANNEL_DESTROY CS_REPORTING',
          `CHANNEL_HANGUP ${isMediad ? 'CS_HANGUP' : 'CS_EXECUTE'}`,
          'CHANNEL_HANGUP_COMPLETE CS_REPORTING',
          'CHANNEL_STATE CS_DESTROY',
          'CHANNEL_STATE CS_HANGUP',
          'CHANNEL_STATE CS_REPORTING',
        ],
        how,
      );
      for (const event of events) t.equal(event['Hangup-Cause'], cause, nameOf(event));
      t.match(
        events.find((event) => nameOf(event) === 'CHANNEL_CALLSTATE'),
        { 'Channel-Call-State': 'HANGUP', 'Original-Channel-Call-State': 'ACTIVE' },
      );
      const notice = await leg.esl.next(({ headers }) => headers['Content-Type'] === 'text/disconnect-notice');
      t.match(notice.headers, { 'Controlled-Session-UUID': leg.uuid, 'Content-Disposition': 'disconnect' });
      await leg.esl.closed();
      watch.close();
    }
  },
);

void t.test(
  'commands that take their time answer by an event; filters and formats choose what is told',
  { skip },
  async (t) => {
    const { esl } = server!;
    const other = await EslClient.member(server!.port, server!.secret);
    await other.command('event json BACKGROUND_JOB');
    const reply = await other.command('bgapi echo one two\nJob-UUID: my-job');
    t.match(reply.headers, { 'Reply-Text': '+OK Job-UUID: my-job', 'Job-UUID': 'my-job' });
    const job = await other.event('BACKGROUND_JOB');
    t.match(job, {
      'Job-UUID': 'my-job',
      'Job-Command': 'echo',
      'Job-Command-Arg': 'one two',
      _body: 'one two',
      'Content-Length': '7',
    });

    await other.command('event json CUSTOM my::first my::second');
    const say = (subclass: string, headers = '') =>
      esl.command(`sendevent CUSTOM\nEvent-Subclass: my::${subclass}\n${headers}`);
    const from = other.messages.length;
    await say('third');
    await other.command('filter Name good');
    await other.command('filter Name /^fine/');
    await say('first', 'Name: bad\n');
    await say('first', 'Name: good\n');
    await say('second', 'Name: finest\n');
    await other.event('CUSTOM', (event) => event['Name'] === 'finest', from);
    await other.command('filter delete Name good');
    await other.command('nixevent CUSTOM my::second');
    await say('first', 'Name: good\n');
    await say('second', 'Name: finest\n');
    await say('first', 'Name: fine\n');
    await other.event('CUSTOM', (event) => event['Name'] === 'fine', from);
    const told = other.messages
      .slice(from)
      .flatMap(({ event }) => (event['Name'] === undefined ? [] : [`${event['Event-Subclass']} ${event['Name']}`]));
    t.same(told, ['my::first good', 'my::second finest', 'my::first fine']);

    const plain = await EslClient.member(server!.port, server!.secret);
    await plain.command('event plain CUSTOM my::plain');
    await esl.command('sendevent CUSTOM\nEvent-Subclass: my::plain\nName: 100% & more\nContent-Length: 4\n\nbody');
    const { headers, body } = await plain.next((message) => message.headers['Content-Type'] === 'text/event-plain');
    t.equal(Number(headers['Content-Length']), Buffer.byteLength(body));
    t.match(body, /^Event-Subclass: my%3A%3Aplain$/m);
    t.match(body, /^Name: 100%25%20%26%20more$/m);
    t.match(body, /\nContent-Length: 4\n\nbody$/);
    t.equal((await plain.command('exit')).headers['Reply-Text'], '+OK bye');
    await plain.closed();

    const wrong = await EslClient.dial(server!.port);
    t.equal((await wrong.command('auth wrong')).headers['Reply-Text'], '-ERR invalid');
    await wrong.closed();
    other.close();
  },
);

void t.test(
  'an encrypted description is answered with an encrypted one, or refused: never in clear',
  { skip },
  async (t) => {
    const phone = await RtpPhone.open();
    t.teardown(() => phone.close());
    const key = Buffer.alloc(30, 7).toString('base64');
    const secure = `${phone.sdp.replace('RTP/AVP', 'RTP/SAVP')}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}\r\n`;
    const { response, call } = await server!.invite(secure, { 'X-Secure-RTP': 'true' });
    if (!isMediad) return t.equal(response.status, 488);
    t.match(response.body.toString(), /m=audio \d+ RTP\/SAVP .*a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/s);
    call?.ack();
    call?.bye();
  },
);
