import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { dataFolders } from '../../src/cli/folders.ts';
import { Baresip } from '../support/baresip.ts';
import { heardWithin, House, PROMPTS } from '../support/house.ts';
import { processTree, scanForPlaintext, tonePatterns } from '../support/plaintext-scan.ts';
import { housesAtOnce, notOnFreeswitch } from '../support/left-out.ts';
import { freeUdpPort, scratch, until } from '../support/processes.ts';
import { sippSdp, startSipp } from '../support/sipp.ts';
import { heardFor, readWav, shareOf, type Sound } from '../support/sound.ts';

// Stories 7 and 8: a message nobody can read from a disk, and the patients' main line.

// Each story has a house of its own and mostly waits for speech.
t.jobs = housesAtOnce(2);

const TONE = 400;

t.test('story 7: nobody accepts, the message is sealed while it is recorded', async (t) => {
  const house = await House.start(t, { phones: ['2101'] });
  const nurse = await house.desk(t, '2101', TONE);
  const patterns = tonePatterns(TONE);
  const pids = () => [...processTree(house.child.pid ?? 0), ...house.daemonPids()];
  const scan = () => scanForPlaintext([house.data, house.documents], pids(), patterns);

  const trap = join(scratch(t, 'trap'), 'plain.wav');
  writeFileSync(trap, readFileSync(join(nurse.dir, 'tone.wav')));
  t.equal(
    scanForPlaintext([join(trap, '..')], [], patterns).found.length,
    1,
    'the scan finds a plain recording where there is one',
  );

  // What the whole house has in memory gets into no core file either.
  const left = pids().map((pid) => readFileSync(`/proc/${pid}/coredump_filter`, 'latin1').trim());
  // The supervisor, the app, and those of our daemons in whose places there are no real servers.
  t.ok(left.length >= 2 + house.daemonPids().length && left.every((parts) => /^0+$/.test(parts)), left.join());
  // Registers would, which hold what was just copied: those that the supervisor started write none.
  const started = pids().filter((pid) => pid !== house.child.pid);
  for (const pid of started) t.match(readFileSync(`/proc/${pid}/limits`, 'latin1'), /^Max core file size +0 +0 /m);

  await nurse.dial(house.uri('7011'));
  const sound = () => nurse.heard()[0]!;
  await until(
    'the greeting',
    () => nurse.heard()[0] && heardWithin(sound(), PROMPTS.wardline('voicemail-greeting-service')) > 0.8,
  );
  await until('the recording to start', async () => (await house.facts()).has('recordingStarted'));
  const startedAt = performance.now();
  await house.recorded(3);
  const during = scan();
  t.same(during.found, [], 'no plaintext while it records');
  t.ok(
    during.filesRead > 10 && during.bytesRead > 100_000,
    `${during.filesRead} files, ${during.bytesRead} bytes were read`,
  );
  await nurse.press('#');
  await until('the message to be saved', async () => (await house.facts()).has('recordingEnded'));
  const elapsed = (performance.now() - startedAt) / 1000;
  const facts = await house.endedCall();
  t.match(facts.of('recordingEnded'), [{ by: 'key' }]);
  t.equal(facts.of('recordingStarted')[0]?.['urgent'], true, 'STAT is marked urgent');
  t.equal(facts.ending, 'messageLeft');
  t.same(scan().found, [], 'no plaintext afterwards');

  const { messages } = await house.json<{
    messages: { messageId: string; durationMs: number; urgent: boolean; mailbox: string }[];
  }>('voicemail', 'list');
  t.equal(messages.length, 1);
  t.match(messages[0], { urgent: true, mailbox: 'cardiology' });
  const wav = join(scratch(t, 'export'), 'message.wav');
  const exported = await house.cli('voicemail', 'export', messages[0]?.messageId ?? '', '--out', wav);
  t.equal(exported.code, 0, exported.err);
  const message = readWav(wav);
  const seconds = message.samples.length / message.rateHz;
  t.ok(seconds > 2.5 && seconds < elapsed + 2, `${seconds} s of message, recorded in less than ${elapsed + 2} s`);
  t.ok(shareOf(message, TONE, 0.5, 2) > 0.97, 'the nurse can be heard');
  const plain = scanForPlaintext([join(wav, '..')], [], patterns);
  t.equal(plain.found.length, 1, 'sound-identical: the very samples that were sent stand in the export');
  t.same(scan().found, [], 'export leaves nothing behind');

  // As after a kill while the store is locked: the recording is sealed and safe, and in no list.
  const { messageId } = messages[0]!;
  const store = new Database(dataFolders(house.data).store);
  store.prepare('delete from messages where message_id = ?').run(messageId);
  store.close();
  process.kill(Number(house.readyNow()['appPid']), 'SIGKILL');
  const found = await until(
    'the message to be in the list again',
    async () => (await house.json<{ messages: object[] }>('voicemail', 'list')).messages[0],
  );
  t.match(found, { messageId, urgent: true, mailbox: 'cardiology', durationMs: messages[0]?.durationMs });
});

const onlyMediad = notOnFreeswitch('what is sealed is not played');

t.test('whoever knows the PIN hears by phone what the nurse has said, opened while it plays', onlyMediad, async (t) => {
  const house = await House.start(t, { phones: ['2101'] });
  const nurse = await house.desk(t, '2101', TONE);
  await nurse.dial(house.uri('7011'));
  await until('the recording to start', async () =>
    (await house.facts().catch(() => undefined))?.has('recordingStarted'),
  );
  await house.recorded(4);
  await nurse.press('#');
  await house.endedCall();
  const pinFile = join(scratch(t, 'pin'), 'pin');
  writeFileSync(pinFile, '271828\n', { mode: 0o600 });
  const set = await house.cli('voicemail', 'pin', 'set', 'cardiology', '--pin-file', pinFile);
  t.equal(set.code, 0, set.err);

  const calls = nurse.heard().length;
  await nurse.dial(house.uri('*97'));
  const sound = () => nurse.heard()[calls];
  const says = (prompt: string) =>
    until(`the words ${prompt}`, () => heardWithin(sound(), PROMPTS.wardline(prompt)) > 0.8);
  await says('mailbox-which');
  await nurse.press('3910#');
  await says('mailbox-pin');
  await nurse.press('271828#');
  await until('the message', () => heardFor(sound(), TONE) > 2);
  await nurse.press('5');
  await says('mailbox-claimed');
  const told = nurse.mark();
  await nurse.hangUp();
  const facts = await house.endedCall();
  t.match(facts.of('mailboxOpened'), [{ mailbox: 'cardiology', person: 'cardiology', device: '2101', messages: 1 }]);
  t.same(
    facts.of('messageAccessed').map(({ how }) => how),
    ['heard', 'claimed'],
  );
  const { messages } = await house.json<{ messages: object[] }>('voicemail', 'list');
  t.match(messages, [{ claimed: { by: 'cardiology' }, heard: { by: 'cardiology' } }]);
  const pids = [...processTree(house.child.pid ?? 0), ...house.daemonPids()];
  const plain = scanForPlaintext([house.data, house.documents], pids, tonePatterns(TONE));
  t.same(plain.found, [], 'listening leaves nothing behind');
  // It was she who left it: she is called to hear that somebody has it.
  await nurse.event('CALL_INCOMING', told);
  await nurse.hangUp();
  await until('that call to end', async () => (await house.houseCalls()).some((call) => call.has('ended')));
});

t.test(
  'an urgent message calls the doctor on call until she claims it, and the nurse is told',
  onlyMediad,
  async (t) => {
    const house = await House.start(t, {
      phones: ['2101', '3101'],
      edit: (text) =>
        text
          .replaceAll(/for: [12][05]s }/g, 'for: 1s }')
          .replace(/- \{ rotation: \[dr-ames, dr-bell\].*/, '- always: dr-ames'),
    });
    const nurse = await house.desk(t, '2101', TONE);
    const doctor = await house.desk(t, '3101', 660);
    const pinFile = join(scratch(t, 'pin'), 'pin');
    writeFileSync(pinFile, '271828\n', { mode: 0o600 });
    t.equal((await house.cli('voicemail', 'pin', 'set', 'cardiology', '--pin-file', pinFile)).code, 0);

    await nurse.dial(house.uri('7011'));
    await until('the recording to start', async () =>
      (await house.facts().catch(() => undefined))?.has('recordingStarted'),
    );
    await house.recorded(4);
    const called = doctor.mark();
    await nurse.hangUp();
    await house.endedCall();
    await doctor.event('CALL_INCOMING', called);
    const { chases } = await house.json<{ chases: object[] }>('voicemail', 'chases');
    t.match(chases, [{ mailbox: 'cardiology', service: 'cardiology', urgency: 'stat', step: 1, isSupervisors: false }]);
    const before = doctor.heard().length;
    await doctor.accept();
    const sound = () => doctor.heard()[before];
    await until('why the house calls', () => heardWithin(sound(), PROMPTS.wardline('chase-waits')) > 0.8);
    await until('the question for the PIN', () => heardWithin(sound(), PROMPTS.wardline('mailbox-pin')) > 0.8);
    await doctor.press('271828#');
    await until('the message', () => heardFor(sound(), TONE) > 2);
    const told = nurse.mark();
    await doctor.press('5');
    await until('that it is hers', () => heardWithin(sound(), PROMPTS.wardline('mailbox-claimed')) > 0.8);
    await doctor.hangUp();
    await nurse.event('CALL_INCOMING', told);
    await nurse.accept();
    const isTold = (sound: Sound) => heardWithin(sound, PROMPTS.wardline('chase-claimed')) > 0.8;
    await until('that somebody has it', () => nurse.heard().some(isTold));
    await until(
      'both calls of the house to end',
      async () => (await house.houseCalls()).filter((call) => call.has('ended')).length === 2,
    );
    const [toNurse, toDoctor] = await house.houseCalls();
    t.match(toDoctor?.of('houseCalled'), [{ person: 'dr-ames', about: 'deliver', target: { extension: '3101' } }]);
    t.same(
      toDoctor?.of('messageAccessed').map(({ how }) => how),
      ['heard', 'claimed'],
    );
    t.match([toNurse?.of('houseCalled'), toNurse?.ending], [[{ person: '', about: 'tellClaimed' }], 'callerTold']);
    t.same(await house.json('voicemail', 'chases'), { chases: [] });
  },
);

t.test('story 7: hang-up ends the message, a routine one is not urgent', async (t) => {
  const house = await House.start(t, { phones: ['2101'] });
  const nurse = await house.desk(t, '2101', TONE);
  await nurse.dial(house.uri('7013'));
  await until('the recording to start', async () =>
    (await house.facts().catch(() => undefined))?.has('recordingStarted'),
  );
  await house.recorded(2);
  await nurse.hangUp();
  const facts = await house.endedCall();
  t.match(facts.of('recordingEnded'), [{ by: 'hangUp' }]);
  t.equal(facts.ending, 'messageLeft');
  t.equal(facts.of('recordingStarted')[0]?.['urgent'], false);
});

t.test('story 8: the main line from the trunk, keys by RFC 4733', async (t) => {
  const carrierPort = await freeUdpPort();
  const house = await House.start(t, { phones: ['1000'], carrier: carrierPort });
  const operator = await house.desk(t, '1000', 660);
  const patient = await Baresip.start(
    t,
    [{ user: '+13125550177', server: `127.0.0.1:${carrierPort}`, register: false }],
    440,
    carrierPort,
  );
  const main = house.uri('+12025550100');
  const sound = () => patient.heard().at(-1)!;

  await t.test('emergency notice, then 0 is the operator', async (t) => {
    await patient.dial(main);
    await until(
      'the greeting',
      () => patient.heard()[0] && heardWithin(sound(), PROMPTS.wardline('main-greeting')) > 0.8,
    );
    await until('the menu', () => heardWithin(sound(), PROMPTS.wardline('main-menu')) > 0.8);
    const o = operator.mark();
    await patient.press('0');
    await operator.event('CALL_INCOMING', o);
    await operator.accept();
    await until(
      'both to hear each other',
      () => heardFor(sound(), 660) > 0.8 && heardFor(operator.heard().at(-1)!, 440) > 0.8,
    );
    await patient.hangUp();
    const facts = await house.endedCall();
    t.match(facts.of('keyPressed'), [{ key: '0' }]);
    t.equal(facts.ending, 'callerHungUp');
  });

  await t.test('a wrong key, then none, then a wrong one: the third time goes to the operator', async () => {
    const [o, before] = [operator.mark(), patient.heard().length];
    await patient.dial(main);
    await until('the call to be heard', () => patient.heard().length > before);
    await patient.press('7');
    await until('"not valid"', () => heardWithin(sound(), PROMPTS.wardline('wrong-key')) > 0.8);
    await until('"did not hear"', () => heardWithin(sound(), PROMPTS.wardline('no-key')) > 0.8);
    await patient.press('8');
    await operator.event('CALL_INCOMING', o);
    await patient.hangUp();
    await house.endedCall();
  });

  await t.test('2 then 2 is the clinical voicemail', async (t) => {
    const before = patient.heard().length;
    await patient.dial(main);
    await until('the call to be heard', () => patient.heard().length > before);
    await patient.press('2');
    await until('the clinical menu', () => heardWithin(sound(), PROMPTS.wardline('clinical-menu')) > 0.8);
    const sealed = house.sealedBytes();
    await patient.press('2');
    await house.recorded(1, sealed);
    await patient.hangUp();
    const facts = await house.endedCall();
    t.equal(facts.ending, 'messageLeft');
    t.same(
      facts.of('keyPressed').map((fact) => fact['key']),
      ['2', '2'],
    );
  });
});

t.test('story 8: keys by SIP INFO', async (t) => {
  const carrierPort = await freeUdpPort();
  const house = await House.start(t, { phones: ['1000'], carrier: carrierPort });
  const operator = await house.desk(t, '1000', 660);
  const patient = await startSipp(t, {
    localPort: carrierPort,
    remote: house.sip,
    scenario: pressesZeroByInfo,
    service: '+12025550100',
  });
  await operator.event('CALL_INCOMING');
  await operator.accept();
  await operator.event('CALL_ESTABLISHED');
  t.equal(await patient.done, 0, patient.errors());
  const facts = await house.endedCall();
  t.match(facts.of('keyPressed'), [{ key: '0' }]);
  t.match(facts.of('arrived'), [{ from: 'trunk carrier' }]);
});

t.test(
  'every other verb, as telephones hear it: group, digits, forward, lookup, hang up; and back again',
  async (t) => {
    const carrierPort = await freeUdpPort();
    const team = createServer((request, response) =>
      request.resume().on('end', () => response.end('{"answer":"message"}')),
    );
    await new Promise<void>((resolve) => team.listen(0, '127.0.0.1', resolve));
    t.teardown(() => team.close());
    const phones = ['2101', '2102', '1000'];
    const set = { 'webhooks.allow': '["127.0.0.1"]' };
    const house = await House.start(t, { phones, carrier: carrierPort, set });
    writeFileSync(
      join(house.documents, 'dialplans/verbs.yaml'),
      `groups:
  ward: { name: Ward, members: [2102, 1000], order: all, for: 20s }
hooks:
  team: { url: "http://127.0.0.1:${(team.address() as AddressInfo).port}/", wait: 5s }
routes:
  8100:
    from: inside
    gather:
      say: clinical-menu
      most: 4
      wait: 5s
      tries: 2
      wrong: wrong-key
      digits: { 1xxx: { ring: { extension: keyed, for: 20s } } }
      otherwise: { hang-up: { cause: goodbye } }
  8101: { from: inside, ring-group: { group: ward } }
  8102: { from: inside, forward: { to: "+12025550123", for: 20s } }
  8103: { from: inside, hang-up: { cause: busy } }
  8104:
    from: inside
    lookup: { hook: team, answers: { message: { voicemail: { mailbox: office } } }, otherwise: { hang-up: { cause: goodbye } } }
`,
    );
    await until('the plan to be in force', () => /plan in force: .*verbs\.yaml/.test(house.terminal()));
    const [nurse, icu, operator] = await Promise.all([
      house.desk(t, '2101', TONE),
      house.desk(t, '2102', 550),
      house.desk(t, '1000', 660),
    ]);
    const outside = { user: '+12025550123', server: `127.0.0.1:${carrierPort}`, register: false };
    const carrier = await Baresip.start(t, [outside], 880, carrierPort);
    const hearEachOther = (phone: Baresip, tone: number) =>
      until(`both to hear each other, ${tone} Hz`, () => {
        const [here, there] = [nurse.heard().at(-1), phone.heard().at(-1)];
        return here && there && heardFor(here, tone) > 0.8 && heardFor(there, TONE) > 0.8;
      });

    await t.test('a group: both ring, who picks up first has the call, the other stops', async (t) => {
      const [i, o] = [icu.mark(), operator.mark()];
      await nurse.dial(house.uri('8101'));
      await Promise.all([icu.event('CALL_INCOMING', i), operator.event('CALL_INCOMING', o)]);
      await icu.accept();
      await operator.event('CALL_CLOSED', o);
      await hearEachOther(icu, 550);
      await nurse.hangUp();
      t.match((await house.endedCall()).of('groupRung'), [{ group: 'ward', members: ['2102', '1000'] }]);
    });

    await t.test('digits: an extension that is keyed rings', async (t) => {
      const [o, before] = [operator.mark(), nurse.heard().length];
      await nurse.dial(house.uri('8100'));
      await until('the question', () => {
        const sound = nurse.heard().length > before ? nurse.heard().at(-1) : undefined;
        return sound && heardWithin(sound, PROMPTS.wardline('clinical-menu')) > 0.8;
      });
      for (const digit of '1000') await nurse.press(digit);
      await operator.event('CALL_INCOMING', o);
      await operator.accept();
      await hearEachOther(operator, 660);
      await nurse.hangUp();
      const facts = await house.endedCall();
      t.match(facts.of('digitsKeyed'), [{ meaning: 'ring the extension keyed' }]);
      t.notMatch(JSON.stringify(facts.of('digitsKeyed')), /1000/, 'what was keyed is sealed');
    });

    await t.test('forward: an outside number by the trunk', async (t) => {
      const c = carrier.mark();
      await nurse.dial(house.uri('8102'));
      await carrier.event('CALL_INCOMING', c);
      await carrier.accept();
      await hearEachOther(carrier, 880);
      await carrier.hangUp();
      t.equal((await house.endedCall()).ending, 'calleeHungUp');
    });

    await t.test('hang up with a cause: the phone shows busy', async (t) => {
      const n = nurse.mark();
      await nurse.dial(house.uri('8103'));
      t.match((await nurse.event('CALL_CLOSED', n)).param, /^486/);
      t.equal((await house.endedCall()).ending, 'planBusy');
    });

    await t.test('lookup: a program of the house sends the call to voicemail', async (t) => {
      const sealed = house.sealedBytes();
      await nurse.dial(house.uri('8104'));
      await house.recorded(1, sealed);
      await nurse.hangUp();
      t.match((await house.endedCall()).of('lookupAnswered'), [{ hook: 'team', answer: 'message' }]);
    });

    await t.test('rollback: the plan before is in force for the next call', async (t) => {
      const answer = await house.json<{ isInForce: boolean }>('plan', 'rollback');
      t.equal(answer.isInForce, true);
      const n = nurse.mark();
      await nurse.dial(house.uri('8103'));
      t.match((await nurse.event('CALL_CLOSED', n)).param, /^404/);
      await house.endedCall();
    });
  },
);

const request = (method: string, cseq: number, more = '', body = '') => `
<send retrans="500"><![CDATA[

${method} [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:+13125550177@[local_ip]:[local_port]>;tag=[pid]p[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Max-Forwards: 70
Contact: <sip:+13125550177@[local_ip]:[local_port]>
${more}Content-Length: [len]

${body}]]></send>`;

const pressesZeroByInfo = `
<send retrans="500"><![CDATA[

INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:+13125550177@[local_ip]:[local_port]>;tag=[pid]p[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Max-Forwards: 70
Contact: <sip:+13125550177@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

${sippSdp}
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[

ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:+13125550177@[local_ip]:[local_port]>;tag=[pid]p[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause milliseconds="2000"/>
${request('INFO', 2, 'Content-Type: application/dtmf-relay\n', 'Signal=0\nDuration=160\n')}
<recv response="200"/>
<pause milliseconds="3000"/>
${request('BYE', 3)}
<recv response="200"/>`;
