import t from 'tap';
import { Baresip } from '../support/baresip.ts';
import { digitHeard, heardWithin, House, PROMPTS } from '../support/house.ts';
import { housesAtOnce } from '../support/left-out.ts';
import { freeUdpPort, until } from '../support/processes.ts';
import { startSipp } from '../support/sipp.ts';
import { find, heardFor, readWav } from '../support/sound.ts';

// Stories 3 to 6: a nurse dials a specialty and the chain works until a human has said "I have it".

// Each story has a house of its own and mostly waits for speech.
t.jobs = housesAtOnce(2);

const MOBILE = { '3101': '+12025550111', '3102': '+12025550112', '3103': '+12025550113' } as const;
type Desk = keyof typeof MOBILE;
const other = (desk: Desk): Desk => (desk === '3101' ? '3102' : '3101');

/** The shipped chains with shorter dwells; nothing else is changed. */
const quick = (text: string) =>
  text.replaceAll('for: 15s', 'for: 4s').replaceAll('for: 20s', 'for: 4s').replaceAll('for: 25s', 'for: 6s');

async function primaryDesk(house: House): Promise<Desk> {
  const { onCall } = await house.json<{ onCall: { tier: string; person: { desk: string } | null }[] }>(
    'oncall',
    'show',
    'cardiology',
  );
  return onCall.find((line) => line.tier === 'primary')?.person?.desk as Desk;
}

/** A scenario of SIPp takes an OPTIONS for a call of its own. */
const SIPP_TRUNK = { 'trunks.carrier.optionsSeconds': '0' };

t.test('story 3: the right phones ring, the first to accept gets the call', async (t) => {
  const carrierPort = await freeUdpPort();
  const house = await House.start(t, {
    phones: ['2101', '3101', '3102'],
    carrier: carrierPort,
    edit: quick,
    set: SIPP_TRUNK,
  });
  const primary = await primaryDesk(house);
  const [nurse, doctor, backup, mobile] = await Promise.all([
    house.desk(t, '2101', 440),
    house.desk(t, primary, 660),
    house.desk(t, other(primary), 880),
    // The doctor's mobile rings beside the desk phone and must be told that the call was taken.
    startSipp(t, { localPort: carrierPort, scenario: ringsUntilCancelled }),
  ]);

  await nurse.dial(house.uri('7011'));
  await doctor.event('CALL_INCOMING');
  await until('the mobile to ring', () => mobile.messages().includes('INVITE sip:'));
  t.match(mobile.messages(), new RegExp(`INVITE sip:\\${MOBILE[primary]}@`), 'the mobile of whoever is on call');
  t.notOk(backup.has('CALL_INCOMING'), 'nobody else rings');
  await until('the nurse to hear ringing', () =>
    nurse.heard().some((sound) => heardFor(sound, 440) > 0 || sound.samples.length > 8000),
  );
  await doctor.accept();
  await doctor.event('CALL_ESTABLISHED');
  await until('both to hear each other', () => {
    const [atNurse, atDoctor] = [nurse.heard()[0], doctor.heard()[0]];
    return atNurse && atDoctor && heardFor(atNurse, 660) > 0.8 && heardFor(atDoctor, 440) > 0.8;
  });
  t.equal(await mobile.done, 0, mobile.errors());
  t.match(mobile.messages(), /CANCEL[\s\S]*Reason: SIP ?; ?cause=200/, 'CANCEL says that somebody else took it');
  t.notOk(backup.has('CALL_INCOMING'));
  await doctor.hangUp();
  await nurse.event('CALL_CLOSED');

  const facts = await house.endedCall();
  t.equal(facts.ending, 'calleeHungUp');
  t.equal(facts.of('accepted').length, 1);
  t.equal(facts.of('accepted')[0]?.['how'], 'answeredDesk');
  t.equal(facts.of('legRung').length, 2);
});

/** The key is pressed again until it is taken, as people do: between two questions it answers neither. */
async function accept(phone: Baresip, digit: string, house: House): Promise<void> {
  let pressedAt = -Infinity;
  await until('the key to be taken', async () => {
    if ((await house.facts()).has('accepted')) return true;
    if (performance.now() - pressedAt < 3000) return false;
    pressedAt = performance.now();
    await phone.press(digit);
    return false;
  });
}

t.test('story 4: a mobile proves a human', async (t) => {
  const carrierPort = await freeUdpPort();
  const house = await House.start(t, {
    phones: ['2101'],
    carrier: carrierPort,
    edit: (text) => quick(text).replaceAll('for: 4s', 'for: 30s'),
  });
  const primary = await primaryDesk(house);
  const [mobile, backupMobile] = [MOBILE[primary], MOBILE[other(primary)]];
  const carrier = await Baresip.start(
    t,
    [mobile, backupMobile, MOBILE['3103']].map((user) => ({
      user,
      server: `127.0.0.1:${carrierPort}`,
      register: false,
    })),
    880,
    carrierPort,
  );
  const nurse = await house.desk(t, '2101', 440);
  const digits: string[] = [];

  await t.test('it hears who calls and what for, presses the digit and has the call', async (t) => {
    const c = carrier.mark();
    await carrier.nextFile();
    await nurse.dial(house.uri('7011'));
    await carrier.event('CALL_INCOMING', c, mobile);
    await (await carrier.as(mobile)).accept();
    const sound = () => carrier.heard().at(-1);
    const digit = await until('the digit to be spoken', () => (sound() ? digitHeard(sound()!) : null));
    digits.push(digit);
    t.ok(heardWithin(sound()!, PROMPTS.wardline('service-cardiology')) > 0.8, 'names the service');
    t.ok(heardWithin(sound()!, PROMPTS.wardline('urgency-stat')) > 0.8, 'names the urgency');
    t.ok(heardWithin(sound()!, PROMPTS.wardline('name-ward-4b')) > 0.8, 'names who calls');
    t.notOk(heardFor(sound()!, 440) > 0.2, 'the nurse is not put through before');
    await accept(carrier, digit, house);
    await until('both to hear each other', () => {
      const atNurse = nurse.heard().at(-1);
      return atNurse && heardFor(atNurse, 880) > 0.8 && heardFor(sound()!, 440) > 0.8;
    });
    await carrier.hangUp();
    await nurse.event('CALL_CLOSED');
    const facts = await house.endedCall();
    t.match(facts.of('accepted'), [{ how: 'pressedDigit' }]);
  });

  await t.test('9 declines and the next step rings at once', async (t) => {
    const [c, n] = [carrier.mark(), nurse.mark()];
    await nurse.dial(house.uri('7011'));
    await carrier.event('CALL_INCOMING', c, mobile);
    await (await carrier.as(mobile)).accept();
    await carrier.event('CALL_ESTABLISHED', c, mobile);
    await carrier.press('9');
    await carrier.event('CALL_INCOMING', c, backupMobile);
    await carrier.nextFile();
    const before = carrier.heard().length;
    await (await carrier.as(backupMobile)).accept();
    const sound = await until('the second mobile to hear something', () => carrier.heard()[before]);
    t.ok(sound);
    const digit = await until('the digit', () => digitHeard(carrier.heard()[before]!));
    digits.push(digit);
    await accept(carrier, digit, house);
    await until('the nurse to hear the second doctor', () => heardFor(nurse.heard().at(-1)!, 880) > 0.8);
    await nurse.hangUp();
    await nurse.event('CALL_CLOSED', n);
    const facts = await house.endedCall();
    t.match(
      facts.of('challengeAnswered').map((fact) => fact['result']),
      ['declined', 'accepted'],
    );
    t.equal(facts.of('stepOver').filter((fact) => fact['because'] === 'timeUp').length, 0, 'no dwell was waited for');
  });
  t.not(digits[0], digits[1], 'the digit differs from call to call');

  await t.test('a wrong digit three times is not an acceptance', async (t) => {
    const c = carrier.mark();
    await carrier.nextFile();
    await nurse.dial(house.uri('7011'));
    await carrier.event('CALL_INCOMING', c, mobile);
    const before = carrier.heard().length;
    await (await carrier.as(mobile)).accept();
    const digit = await until(
      'the digit',
      () => (carrier.heard()[before] ? digitHeard(carrier.heard()[before]!) : null),
      25_000,
    );
    const wrong = digit === '8' ? '7' : '8';
    for (let attempt = 1; attempt <= 3; attempt++) {
      await carrier.press(wrong);
      await until(
        `attempt ${attempt} in the audit`,
        async () => (await house.facts()).of('challengeAnswered').length >= attempt,
      );
    }
    await carrier.event('CALL_INCOMING', c, backupMobile);
    await nurse.hangUp();
    const facts = await house.endedCall();
    t.equal(facts.has('accepted'), false);
    t.match(facts.of('challengeAnswered').slice(0, 3), [
      { result: 'wrongDigit' },
      { result: 'wrongDigit' },
      { result: 'wrongDigit' },
    ]);
    t.equal(facts.ending, 'callerHungUp');
  });
});

t.test('story 4: a mailbox that talks for 30 s never gets the caller', async (t) => {
  const carrierPort = await freeUdpPort();
  const house = await House.start(t, {
    phones: ['2101', '1000'],
    carrier: carrierPort,
    edit: (text) => quick(text).replaceAll('for: 4s', 'for: 40s'),
  });
  const primary = await primaryDesk(house);
  const mailbox = await Baresip.start(
    t,
    [
      { user: MOBILE[primary], server: `127.0.0.1:${carrierPort}`, register: false, answer: 'auto' },
      { user: MOBILE[other(primary)], server: `127.0.0.1:${carrierPort}`, register: false },
    ],
    990,
    carrierPort,
  );
  const nurse = await house.desk(t, '2101', 440);
  await nurse.dial(house.uri('7011'));
  await mailbox.event('CALL_ESTABLISHED', 0, MOBILE[primary]);
  await mailbox.event('CALL_INCOMING', 0, MOBILE[other(primary)]);
  t.notOk(heardFor(nurse.heard()[0]!, 990) > 0.2, 'the nurse never heard the mailbox');
  t.notOk(heardFor(mailbox.heard()[0]!, 440) > 0.2, 'the mailbox never heard the nurse');
  await nurse.hangUp();
  const facts = await house.endedCall();
  t.equal(facts.has('accepted'), false);
});

t.test('story 4: two mobiles accept within 20 ms, exactly one wins', async (t) => {
  const carrierPort = await freeUdpPort();
  // Primary and backup in one step, so that both mobiles ring together.
  const house = await House.start(t, {
    phones: ['2101'],
    carrier: carrierPort,
    edit: (text) =>
      text.replace(
        '{ ring: primary, on: [desk, mobile], for: 15s }',
        '{ ring: [primary, backup], on: [desk, mobile], for: 60s }',
      ),
  });
  const primary = await primaryDesk(house);
  const pair = [MOBILE[primary], MOBILE[other(primary)]] as const;
  const carrier = await Baresip.start(
    t,
    pair.map((user) => ({ user, server: `127.0.0.1:${carrierPort}`, register: false })),
    880,
    carrierPort,
  );
  const nurse = await house.desk(t, '2101', 440);
  await nurse.dial(house.uri('7011'));
  for (const user of pair) await carrier.event('CALL_INCOMING', 0, user);
  await (await carrier.as(pair[0])).accept();
  await until('the first mobile to hear something', () => carrier.heard().length === 1);
  await carrier.nextFile();
  await (await carrier.as(pair[1])).accept();
  const digit = await until('the digit on both', () => {
    const [one, two] = carrier.heard();
    const found = one && two ? [digitHeard(one), digitHeard(two)] : [null, null];
    return found[0] !== null && found[0] === found[1] ? found[0] : null;
  }).catch(async (error: Error) => {
    for (const sound of carrier.heard()) {
      const words = find(readWav(PROMPTS.wardline('to-accept-press')), sound);
      t.comment(
        `heard ${(sound.samples.length / sound.rateHz).toFixed(1)} s, words ${JSON.stringify(words)}, digit ${digitHeard(sound)}`,
      );
    }
    t.comment(carrier.events.map((event) => `${event.type} ${event.accountaor} ${event.param}`).join('\n'));
    t.comment(JSON.stringify((await house.facts()).of('challengeAnswered')));
    throw error;
  });
  await carrier.as(pair[0]);
  const at = performance.now();
  // The commands are written back to back on one socket.
  await Promise.all([
    carrier.press(digit),
    carrier.command('uafind', carrier.aor(pair[1])),
    carrier.command('sndcode', digit),
  ]);
  t.comment(`both pressed within ${(performance.now() - at).toFixed(1)} ms`);
  await until('one of them to have the nurse', () => carrier.heard().some((sound) => heardFor(sound, 440) > 0.8));
  // Two short words: other prompts score below 0.1, and of these a phone may drop more than one packet.
  await until('the other to hear "taken by"', () =>
    carrier.heard().some((sound) => heardWithin(sound, PROMPTS.wardline('taken-by')) > 0.5),
  );
  t.equal(carrier.heard().filter((sound) => heardFor(sound, 440) > 0.2).length, 1, 'only one is put through');
  await nurse.hangUp();
  const facts = await house.endedCall();
  t.equal(facts.of('accepted').length, 1);
  // The digit is looked for in what was heard: on a slow machine a mobile is asked once more meanwhile.
  const answers = facts.of('challengeAnswered').map((fact) => fact['result']);
  t.same(answers.filter((result) => result !== 'silence').sort(), ['accepted', 'tooLate']);
});

t.test('story 5: steps that reach nobody cost no waiting; a caller who hangs up stops everything', async (t) => {
  const carrierPort = await freeUdpPort();
  const house = await House.start(t, {
    phones: ['2101', '1000', '1001', '3101', '3102', '3103'],
    carrier: carrierPort,
    set: SIPP_TRUNK,
  });
  // The carrier is busy for everybody, no doctor's desk phone is registered: only the operator is left.
  const busy = await startSipp(t, { localPort: carrierPort, scenario: alwaysBusy, calls: 20 });
  const [operator, nurse] = await Promise.all([house.desk(t, '1000', 660), house.desk(t, '2101', 440)]);
  await nurse.dial(house.uri('7011'));
  await operator.event('CALL_INCOMING');
  // The mobile that rings beside the operator is busy too: the record says so, whatever comes first.
  await until('every mobile to be busy', async () => (await house.facts()).of('legEnded').length === 4);
  await nurse.hangUp();
  await operator.event('CALL_CLOSED');
  const facts = await house.endedCall();
  t.equal(facts.ending, 'callerHungUp');
  t.ok(
    facts.of('considered').some((fact) => fact['verdict'] === 'skipped' && /registered/.test(String(fact['because']))),
  );
  t.equal(facts.of('stepOver').filter((fact) => fact['because'] === 'timeUp').length, 0, 'no dwell was waited for');
  t.ok(busy.messages().includes('486'));
});

t.test('story 6: the caller hears a prompt, ringing, and what happens next', async (t) => {
  // The backup is still rung when the ringing has been listened to.
  const edit = (text: string) =>
    quick(
      text.replace('{ ring: backup, on: [desk, mobile], for: 15s }', '{ ring: backup, on: [desk, mobile], for: 60s }'),
    );
  const house = await House.start(t, { phones: ['2101', '3101', '3102', '1000'], edit });
  const primary = await primaryDesk(house);
  const [nurse, first, second] = await Promise.all([
    house.desk(t, '2101', 440),
    house.desk(t, primary, 660),
    house.desk(t, other(primary), 880),
  ]);
  await nurse.dial(house.uri('7011'));
  await first.event('CALL_INCOMING');
  await second.event('CALL_INCOMING');
  await first.event('CALL_CLOSED');
  const sound = () => nurse.heard()[0]!;
  await until('the announcement', () => heardWithin(sound(), PROMPTS.wardline('trying-the-backup')) > 0.8);
  t.ok(heardWithin(sound(), PROMPTS.wardline('calling-the-on-call')) > 0.8, 'a prompt at the beginning');
  await until('ringing', () => ringbackSeconds(sound()) > 0.8);
  await second.accept();
  await until('the nurse to hear the backup', () => heardFor(sound(), 880) > 0.8);
  await nurse.hangUp();
  await house.endedCall();
});

/** 440 and 480 Hz together. */
function ringbackSeconds(sound: Parameters<typeof heardFor>[0]): number {
  return heardFor(sound, 440, 0.25);
}

const reply = (status: string, more = '') => `
<send><![CDATA[

SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]m[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
${more}Content-Length: 0

]]></send>`;

const ringsUntilCancelled = `
<recv request="INVITE"><action>
  <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
  <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
</action></recv>
<Reference variables="via,cseq"/>
${reply('180 Ringing')}
<recv request="CANCEL"/>
${reply('200 OK')}
<send retrans="500"><![CDATA[

SIP/2.0 487 Request Terminated
Via:[$via]
[last_From:]
[last_To:];tag=[pid]m[call_number]
[last_Call-ID:]
CSeq:[$cseq]
Content-Length: 0

]]></send>
<recv request="ACK"/>`;

const alwaysBusy = `
<recv request="INVITE"/>
${reply('486 Busy Here')}
<recv request="ACK"/>`;
