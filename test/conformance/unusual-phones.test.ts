import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type Srf from 'drachtio-srf';
import t from 'tap';
import type { LegId } from '../../src/core/call/index.ts';
import { until } from '../support/processes.ts';
import { type Call, type Message, RawPhone } from '../support/raw-phone.ts';
import { ROOT } from '../support/root.ts';
import { openApp, openSipd, sipUri } from '../support/sipd-and-app.ts';
import { answerChallenge } from '../support/telephony.ts';
import { House, type Teardown } from '../support/telephony-house.ts';

// What phones and carriers do that few of them do, against one house: old ways of holding, headers of other systems, and mistakes.

const house = await House.open(t);
const caller = 'caller' as LegId;
const one = '1' as LegId;
const offeredAs = { displayName: 'Ward 4B', number: '2101', urgency: 'routine' } as const;
/** A trunk needs no password. */
const aTrunk = (t: Teardown) => house.phone(t, 'trunk', 'udp', '127.0.0.2');
const aCall = (callId: string, localTag: string): Call => ({
  ...{ callId, localTag, target: 'sip:7011@wardline', cseq: 1, remoteTag: '', remoteTarget: '' },
});
const asSdp = 'Content-Type: application/sdp';

void t.test(
  'hold by c=0.0.0.0 (RFC 2543): nothing is sent there, nobody misses its sound, and it comes back',
  async (t) => {
    const { phone, rtp, call, scripted } = await house.answeredCaller(t);
    scripted.do({ type: 'play', leg: caller, token: 1, prompts: [], then: 'ringback' });
    await rtp.hears(440);
    phone.inDialog(call, 'INVITE', [asSdp], rtp.sdp('sendrecv', 2).replace(/^c=.*$/m, 'c=IN IP4 0.0.0.0'));
    const held = await phone.nextResponse(call, 'INVITE');
    phone.acknowledge(call, held);
    t.equal(held.status, 200);
    t.match(held.body, /^a=(?:recvonly|inactive)\r$/m);
    phone.inDialog(call, 'INVITE', [asSdp], rtp.sdp('sendrecv', 3));
    const back = await phone.nextResponse(call, 'INVITE');
    phone.acknowledge(call, back);
    t.notMatch(back.body, /^a=(?:recvonly|inactive)\r$/m);
    await rtp.hears(440);
    phone.inDialog(call, 'BYE');
    await scripted.next('callerHungUp');
    scripted.do({ type: 'callOver', cause: 'callerHungUp' });
    t.same(house.log.takeErrors(), []);
  },
);

void t.test('Replaces (RFC 3891): refused where it must be done, left alone where it may be', async (t) => {
  const phone = await house.phone(t, '2101');
  const body = (await house.rtp(t)).sdp();
  const replaces = 'Replaces: 425928@phone.example.org;to-tag=7743;from-tag=6472';
  const { call: must } = await phone.invite('7011', { body, headers: [replaces, 'Require: replaces'] });
  const refused = await phone.nextResponse(must, 'INVITE');
  t.same([refused.status, refused.get('Unsupported')], [420, 'replaces']);
  const { call } = await phone.invite('7011', { body, headers: [replaces] });
  const scripted = await house.nextCall();
  scripted.do({ type: 'answerCaller' });
  phone.acknowledge(call, await phone.nextResponse(call, 'INVITE'));
  await scripted.next('callerAnswered');
  const other = encodeURIComponent('425928@phone.example.org;to-tag=7743;from-tag=6472');
  phone.inDialog(call, 'REFER', [`Refer-To: <sip:2102@wardline?Replaces=${other}>`, `Contact: ${phone.contact}`]);
  t.equal((await phone.nextResponse(call, 'REFER')).status, 501, 'an attended transfer is refused');
  phone.inDialog(call, 'BYE');
  t.equal((await phone.nextResponse(call, 'BYE')).status, 200, 'and the call went on');
  await scripted.next('callerHungUp');
  scripted.do({ type: 'callOver', cause: 'callerHungUp' });
  t.same(house.log.takeErrors(), []);
});

void t.test('a digest with a user in UTF-8 is a wrong answer like any other', async (t) => {
  const phone = await house.phone(t, '2101');
  const call = { ...aCall('utf8', 'x'), target: 'sip:2101@wardline' };
  const register = (cseq: number, headers: readonly string[]): Promise<Message> => {
    phone.request('REGISTER', 'sip:wardline', { call, cseq, headers: [`Contact: ${phone.contact}`, ...headers] });
    return phone.nextResponse(call, 'REGISTER');
  };
  const challenge = (await register(1, [])).all('WWW-Authenticate')[0] ?? '';
  const as = { username: 'Jürgen Müller 山田', password: 'pässwörd', method: 'REGISTER', uri: 'sip:wardline' };
  const again = await register(2, [`Authorization: ${answerChallenge(challenge, as)}`]);
  t.equal(again.status, 401);
  t.match(again.get('WWW-Authenticate'), /^Digest realm="wardline", nonce="(?!.*stale)/);
  t.equal((await phone.register()).status, 200, 'who knows the password gets in from there');
  t.same(house.log.takeErrors(), []);
  await phone.register({ expires: 0 });
});

void t.test(
  'outbound (RFC 5626): called over the connection it has opened, and over the next one when that is gone',
  async (t) => {
    const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>";reg-id=1';
    // Nobody could dial that address.
    const contact = `<sip:2102@192.0.2.99:5999;transport=tcp;ob>;${instance}`;
    for (const which of ['the first', 'the next']) {
      const phone = await house.phone(t, '2102', 'tcp');
      const ok = await phone.register({ contact });
      t.equal(ok.status, 200);
      t.notMatch(ok.get('Require'), 'outbound', 'for what it does not do');
      t.match(ok.text.match(/expires=/g), { length: 1 }, 'one device has one contact');
      const trunk = await aTrunk(t);
      const { call } = await trunk.invite('2102', { body: (await house.rtp(t)).sdp(), isTrunk: true });
      const scripted = await house.nextCall();
      const target = { kind: 'extension', extension: '2102' } as const;
      scripted.do({ type: 'ringLeg', leg: one, target, media: 'direct', offeredAs });
      const invite = await phone.nextRequest('INVITE');
      t.match(invite.start, 'INVITE sip:2102@192.0.2.99:5999;transport=tcp;ob SIP/2.0', which);
      phone.respond(invite, 486);
      await scripted.next('legFailed');
      scripted.do({ type: 'refuseCaller', cause: 'busy' });
      t.equal((await trunk.nextResponse(call, 'INVITE')).status, 486);
      scripted.do({ type: 'callOver', cause: 'busy' });
      if (which === 'the next') await phone.register({ contact, expires: 0 });
      phone.close();
    }
    t.same(house.log.takeErrors(), []);
  },
);

void t.test('who somebody says to be in Remote-Party-ID, Diversion or History-Info is told to nobody', async (t) => {
  const called = await house.registered(t, '2102');
  const phone = await house.phone(t, '2101');
  const headers = [
    'Remote-Party-ID: "Chief" <sip:9999@wardline>;party=calling;screen=yes',
    'P-Asserted-Identity: "Chief" <sip:9999@wardline>',
    'Diversion: <sip:9999@wardline>;reason=unconditional',
    'History-Info: <sip:9999@wardline>;index=1, <sip:2102@wardline>;index=1.1',
  ];
  const { call } = await phone.invite('2102', { body: (await house.rtp(t)).sdp(), headers });
  const scripted = await house.nextCall();
  t.same(scripted.newCall.caller, { from: { kind: 'phone', extension: '2101' }, number: null });
  const target = { kind: 'extension', extension: '2102' } as const;
  scripted.do({ type: 'ringLeg', leg: one, target, media: 'direct', offeredAs });
  const invite = await called.nextRequest('INVITE');
  t.notMatch(invite.text, '9999');
  called.respond(invite, 486);
  await scripted.next('legFailed');
  scripted.do({ type: 'refuseCaller', cause: 'busy' });
  await phone.nextResponse(call, 'INVITE');
  scripted.do({ type: 'callOver', cause: 'busy' });
  t.same(house.log.takeErrors(), []);
});

void t.test('lamps of other phones (RFC 4235): refused with what there is', async (t) => {
  const phone = await house.phone(t, '2101');
  for (const [method, status, name, value] of [
    ['SUBSCRIBE', 489, 'Allow-Events', 'message-summary'],
    ['PUBLISH', 405, 'Allow', /^INVITE, ACK/],
  ] as const) {
    const call = aCall(`lamp-${method}`, 'x');
    const headers = [`Contact: ${phone.contact}`, 'Event: dialog', 'Accept: application/dialog-info+xml'];
    phone.request(method, 'sip:2102@wardline', { call, cseq: 1, headers });
    const answer = await phone.nextResponse(call, method);
    t.equal(answer.status, status);
    t.match(answer.get(name), value);
  }
});

void t.test('an INVITE that is sent again with another description is the first one', async (t) => {
  const trunk = await aTrunk(t);
  const [rtp, other] = [await house.rtp(t), await house.rtp(t)];
  const call = aCall('changed', 'x');
  const headers = [`Contact: ${trunk.contact}`, asSdp];
  const invite = (body: string) =>
    trunk.request('INVITE', call.target, { call, cseq: 1, headers, body, branch: 'z9hG4bKchanged' });
  invite(rtp.sdp());
  const scripted = await house.nextCall();
  scripted.do({ type: 'ringCaller' });
  await trunk.nextResponse(call, 'INVITE', 180);
  invite(other.sdp());
  await trunk.nextResponse(call, 'INVITE', 180);
  scripted.do({ type: 'answerCaller' });
  const ok = await trunk.nextResponse(call, 'INVITE');
  trunk.acknowledge(call, ok);
  await scripted.next('callerAnswered');
  scripted.do({ type: 'play', leg: caller, token: 1, prompts: [], then: 'ringback' });
  await rtp.hears(440);
  // Another one arrives next, not this one again.
  const { call: next } = await trunk.invite('7012', { body: other.sdp(), isTrunk: true });
  const another = await house.nextCall();
  t.equal(another.newCall.dialled, '7012');
  another.do({ type: 'refuseCaller', cause: 'busy' });
  await trunk.nextResponse(next, 'INVITE');
  another.do({ type: 'callOver', cause: 'busy' });
  trunk.inDialog(call, 'BYE');
  await scripted.next('callerHungUp');
  scripted.do({ type: 'callOver', cause: 'callerHungUp' });
  t.same(house.log.takeErrors(), []);
});

for (const remembers of [true, false]) {
  void t.test(
    `a 503 that is lost is said again, ${remembers ? 'by an app' : 'by a server too busy to remember it'}`,
    async (t) => {
      const limits = remembers ? {} : { halfOpenTotal: 1 };
      const sipd = await openSipd({}, limits);
      const asked: string[] = [];
      const app = await openApp(sipd, 'pbx', (srf) =>
        srf.use('invite', (req: Srf.SrfRequest, res: Srf.SrfResponse) => {
          asked.push(req.get('Call-ID'));
          if (remembers) res.send(503);
        }),
      );
      const port = Number(sipUri(sipd, 'x').split(':').at(-1));
      const phone = await RawPhone.open('2101', { udp: port, tcp: 0 });
      t.teardown(async () => {
        phone.close();
        app.disconnect();
        await sipd.close();
      });
      const [first, call] = [aCall('first', 'x'), aCall('lost', 'y')];
      const headers = [`Contact: ${phone.contact}`];
      const invite = () => phone.request('INVITE', call.target, { call, cseq: 1, headers, branch: 'z9hG4bKlost' });
      if (!remembers) {
        phone.request('INVITE', first.target, { call: first, cseq: 1, headers, branch: 'z9hG4bKfirst' });
        await until('the only one that is let in', () => asked.length === 1);
      }
      invite();
      const answer = await phone.nextResponse(call, 'INVITE');
      t.equal(answer.status, 503);
      invite();
      const again = await phone.nextResponse(call, 'INVITE');
      t.same([again.status, again.get('To')], [503, answer.get('To')], 'the same');
      phone.ackFailure(call, again, 'z9hG4bKlost');
      if (!remembers) phone.cancel(first, 'z9hG4bKfirst');
      await until('nothing to linger', () => sipd.metrics['servers'] === 0);
      t.same(asked, [remembers ? 'lost' : 'first'], 'asked once, or not at all');
    },
  );
}

void t.test('two callers with one Call-ID: each cancels its own call', async (t) => {
  const body = (await house.rtp(t)).sdp();
  const callers = await Promise.all(
    ['a', 'b'].map(async (tag) => {
      const trunk = await aTrunk(t);
      return { trunk, call: aCall('same-for-both', tag), branch: `z9hG4bKsame${tag}` };
    }),
  );
  const calls = [];
  for (const { trunk, call, branch } of callers) {
    trunk.request('INVITE', call.target, {
      call,
      cseq: 1,
      headers: [`Contact: ${trunk.contact}`, asSdp],
      body,
      branch,
    });
    calls.push(await house.nextCall());
  }
  for (const [at, { trunk, call, branch }] of callers.entries()) {
    trunk.cancel(call, branch);
    t.equal((await trunk.nextResponse(call, 'INVITE')).status, 487);
    await calls[at]!.next('callerHungUp');
    t.same(
      calls.map(({ events }) => events.length),
      [0, 0],
      'and nobody else’s',
    );
    calls[at]!.do({ type: 'callOver', cause: 'callerHungUp' });
  }
  t.same(house.log.takeErrors(), []);
});

void t.test('a message of 60 KB in one datagram', async (t) => {
  const trunk = await aTrunk(t);
  const headers = Array.from({ length: 8 }, (_, i) => `X-Long-${i}: ${'x'.repeat(7_400)}`);
  const { call } = await trunk.invite('7011', { body: (await house.rtp(t)).sdp(), headers, isTrunk: true });
  const scripted = await house.nextCall();
  scripted.do({ type: 'refuseCaller', cause: 'busy' });
  t.equal((await trunk.nextResponse(call, 'INVITE')).status, 486);
  scripted.do({ type: 'callOver', cause: 'busy' });
  t.same(house.log.takeErrors(), []);
});

const inNetwork = ['--net', 'sh', '-c', 'ip link set lo mtu 1500 up && exec "$@"', 'sh'];
const canMake = spawnSync('unshare', [...inNetwork, 'true']).status === 0;
const why = canMake ? {} : { skip: 'needs a network of its own, which only root can make' };
void t.test('… and in pieces, as a network with small packets brings it', why, (t) => {
  const script = join(ROOT, 'test/support/in-pieces.ts');
  const { stdout, stderr } = spawnSync('unshare', [...inNetwork, process.execPath, script], { encoding: 'utf8' });
  const [pieces, ...answer] = stdout.trim().split(' ');
  t.ok(Number(pieces) >= 40, `${pieces} pieces${stderr}`);
  t.equal(answer.join(' '), 'SIP/2.0 503', 'read whole: there is no app');
  t.end();
});
