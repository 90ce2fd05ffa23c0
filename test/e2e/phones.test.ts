import t from 'tap';
import { Baresip } from '../support/baresip.ts';
import { House } from '../support/house.ts';
import { Linphone } from '../support/linphone.ts';
import { until } from '../support/processes.ts';
import { sippSdp, startSipp } from '../support/sipp.ts';
import { heardFor } from '../support/sound.ts';

// Stories 1 and 2: phones register, and call each other.

// Rings an extension for 4 s instead of 20.
const house = await House.start(t, {
  phones: ['1000', '1001', '2101', '2102', '3101'],
  edit: (text) => text.replace('ring-for: 20s', 'ring-for: 4s'),
  set: { 'sip.minExpires': '10' },
});

async function contactsOf(extension: string): Promise<{ expiresAt: string }[]> {
  const { phones } = await house.json<{ phones: { extension: string; contacts: { expiresAt: string }[] }[] }>(
    'phone',
    'list',
  );
  return phones.find((phone) => phone.extension === extension)?.contacts ?? [];
}

/** Registered at the beginning of this file for the shortest time there is; by its end the time is over. */
const briefly = await startSipp(t, {
  remote: house.sip,
  scenario: register('3101', 10),
  user: '3101',
  password: house.password('3101'),
});

t.test('phones register, and a stranger learns nothing', async (t) => {
  await t.test('baresip over UDP and TCP, two contacts on one extension, and un-registers', async (t) => {
    const [first] = await Promise.all([house.desk(t, '1001', 440), house.desk(t, '1001', 550, { transport: 'tcp' })]);
    await until('two contacts', async () => (await contactsOf('1001')).length === 2);
    await first.close();
    await until('the closed phone to be gone', async () => (await contactsOf('1001')).length === 1);
  });

  for (const [transport, name] of [
    ['u1', 'UDP'],
    ['t1', 'TCP'],
  ] as const) {
    await t.test(`SIPp registers with MD5 over ${name}`, async (t) => {
      const sipp = await startSipp(t, {
        remote: transport === 'u1' ? house.sip : house.sipTcp,
        transport,
        scenario: register('1000', 60),
        user: '1000',
        password: house.password('1000'),
      });
      t.equal(await sipp.done, 0, sipp.errors());
      t.match(sipp.messages(), /algorithm=MD5/);
    });
  }

  for (const transport of ['udp', 'tcp'] as const) {
    await t.test(`Linphone registers with SHA-256 over ${transport}, and un-registers`, async (t) => {
      const phone = Linphone.start(t);
      const server = transport === 'udp' ? house.sip : house.sipTcp;
      await phone.register('2101', server, transport, house.password('2101'));
      await until('its contact', async () => (await contactsOf('2101')).length === 1);
      const sent = /^Authorization:.*$/m.exec(phone.trace())?.[0] ?? '';
      t.match(sent, /algorithm=SHA-256\b/);
      t.match(sent, /response="[0-9a-f]{64}"/);
      await phone.unregister();
      await until('its contact to be gone', async () => (await contactsOf('2101')).length === 0);
    });
  }

  await t.test('the time that is asked for is granted', async (t) => {
    t.equal(await briefly.done, 0, briefly.errors());
    t.match(briefly.messages(), /expires=10\b/i);
    const [contact] = await until('the contact to be stored', async () => {
      const contacts = await contactsOf('1000');
      return contacts.length > 0 && contacts;
    });
    const leftMs = Date.parse(contact?.expiresAt ?? '') - Date.now();
    t.ok(leftMs > 30_000 && leftMs <= 60_000, `${leftMs} ms of 60 s are left`);
  });

  await t.test('a wrong password and an unknown extension get the same bytes', async (t) => {
    const answers: string[] = [];
    for (const extension of ['3102', '9999']) {
      const sipp = await startSipp(t, {
        remote: house.sip,
        scenario: refusedRegister,
        service: extension,
        user: extension,
        password: 'not the password',
        args: ['-cid_str', `same-%u-call@127.0.0.1`],
      });
      t.equal(await sipp.done, 0, sipp.errors());
      answers.push(
        received(sipp.messages())
          .map((text) => stripped(text, extension))
          .join('\n---\n'),
      );
    }
    t.ok((answers[0] ?? '').length > 300, 'there were answers to compare');
    t.equal(answers[0], answers[1]);
  });
});

t.test('extension to extension', async (t) => {
  const [ward, icu] = await Promise.all([house.desk(t, '2101', 440), house.desk(t, '2102', 660)]);

  await t.test('ring, answer, two-way sound, the caller hangs up', async (t) => {
    const [w, i] = [ward.mark(), icu.mark()];
    await ward.dial(house.uri('2102'));
    await icu.event('CALL_INCOMING', i);
    await ward.event('CALL_RINGING', w);
    await icu.accept();
    await ward.event('CALL_ESTABLISHED', w);
    await until('both to hear each other', () => {
      const [atWard, atIcu] = [ward.heard().at(-1), icu.heard().at(-1)];
      return atWard && atIcu && heardFor(atWard, 660) > 0.5 && heardFor(atIcu, 440) > 0.5;
    });
    await ward.hangUp();
    await icu.event('CALL_CLOSED', i);
    t.equal((await house.endedCall()).ending, 'callerHungUp');
  });

  await t.test('the called party hangs up', async (t) => {
    const [w, i] = [ward.mark(), icu.mark()];
    await ward.dial(house.uri('2102'));
    await icu.event('CALL_INCOMING', i);
    await icu.accept();
    await ward.event('CALL_ESTABLISHED', w);
    await icu.hangUp();
    await ward.event('CALL_CLOSED', w);
    t.equal((await house.endedCall()).ending, 'calleeHungUp');
  });

  await t.test('CANCEL: the caller gives up while it rings', async (t) => {
    const i = icu.mark();
    await ward.dial(house.uri('2102'));
    await icu.event('CALL_INCOMING', i);
    await ward.hangUp();
    await icu.event('CALL_CLOSED', i);
    t.equal((await house.endedCall()).ending, 'callerCancelled');
  });

  await t.test('busy and declined', async (t) => {
    const [w, i] = [ward.mark(), icu.mark()];
    await ward.dial(house.uri('2102'));
    await icu.event('CALL_INCOMING', i);
    await icu.hangUp();
    const closed = await ward.event('CALL_CLOSED', w);
    t.match(closed.param, /486|603|Busy|Decline/i);
    t.match((await house.endedCall()).ending, /busy|declined/);
  });

  await t.test('nobody answers', async (t) => {
    const [w, i] = [ward.mark(), icu.mark()];
    await ward.dial(house.uri('2102'));
    await icu.event('CALL_INCOMING', i);
    const closed = await ward.event('CALL_CLOSED', w);
    t.match(closed.param, /480/);
    await icu.event('CALL_CLOSED', i);
    t.equal((await house.endedCall()).ending, 'noAnswer');
  });

  await t.test('not registered: never was, or its time is over', async (t) => {
    await until('the registration to have run out', async () => (await contactsOf('3101')).length === 0);
    for (const extension of ['3101', '3103']) {
      const w = ward.mark();
      await ward.dial(house.uri(extension));
      const closed = await ward.event('CALL_CLOSED', w);
      t.match(closed.param, /480/);
      t.equal((await house.endedCall()).ending, 'notRegistered');
    }
  });

  await t.test('a number that does not exist', async (t) => {
    const w = ward.mark();
    await ward.dial(house.uri('4711'));
    const closed = await ward.event('CALL_CLOSED', w);
    t.match(closed.param, /404/);
    t.equal((await house.endedCall()).ending, 'numberNotInService');
  });

  await t.test('a call without the password is refused and leaves a record', async (t) => {
    const stranger = await Baresip.start(
      t,
      [{ user: '2101', server: house.sip, register: false, password: 'wrong' }],
      300,
    );
    await stranger.dial(house.uri('2102'));
    const closed = await stranger.event('CALL_CLOSED');
    t.match(closed.param, /40[137]|Unauthorized|Authentication|denied/i);
  });

  await t.test('an INVITE without a password is asked for one', async (t) => {
    const sipp = await startSipp(t, { remote: house.sip, scenario: inviteWithoutAuthorization, service: '2102' });
    t.equal(await sipp.done, 0, sipp.errors());
  });
});

function head(method: string, user: string, cseq: number): string {
  return `${method} sip:${method === 'REGISTER' ? '[remote_ip]:[remote_port]' : `${user}@[remote_ip]:[remote_port]`} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:${user}@[remote_ip]>;tag=[pid]t[call_number]
To: <sip:${user}@[remote_ip]>
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Max-Forwards: 70
Contact: <sip:${user}@[local_ip]:[local_port];transport=[transport]>`;
}

function register(user: string, expires: number): string {
  return `
<send retrans="500"><![CDATA[

${head('REGISTER', user, 1)}
Expires: ${expires}
Content-Length: 0

]]></send>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[

${head('REGISTER', user, 2)}
Expires: ${expires}
[authentication]
Content-Length: 0

]]></send>
<recv response="200"/>`;
}

const refusedRegister = `
<send retrans="500"><![CDATA[

${head('REGISTER', '[service]', 1)}
Expires: 60
Content-Length: 0

]]></send>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[

${head('REGISTER', '[service]', 2)}
Expires: 60
[authentication]
Content-Length: 0

]]></send>
<recv response="401"/>`;

const inviteWithoutAuthorization = `
<send retrans="500"><![CDATA[

${head('INVITE', '[service]', 1)}
Content-Type: application/sdp
Content-Length: [len]

${sippSdp}
]]></send>
<recv response="100" optional="true"/>
<recv response="401"/>
<send><![CDATA[

${head('ACK', '[service]', 1)}
Content-Length: 0

]]></send>`;

/** Messages that SIPp received, whole. */
function received(log: string): string[] {
  return log
    .split(/^-{20,}.*$/m)
    .filter((part) => part.includes('message received'))
    .map((part) => part.slice(part.indexOf('SIP/2.0')));
}

/** What differs for reasons that have nothing to do with who exists: nonce, tags, branch, ports, and the name that was sent. */
function stripped(text: string, extension: string): string {
  return text
    .replaceAll(extension, 'EXT')
    .replace(/nonce="[^"]*"/g, 'nonce')
    .replace(/opaque="[^"]*"/g, 'opaque')
    .replace(/branch=[^;\s]*/g, 'branch')
    .replace(/tag=[^;\s]*/g, 'tag')
    .replace(/127\.0\.0\.1:\d+/g, 'peer')
    .replace(/rport=\d+/g, 'rport')
    .replace(/^Call-ID:.*$/gim, 'Call-ID')
    .replace(/^Date:.*$/gim, 'Date')
    .trim();
}
