import { readFileSync } from 'node:fs';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { canonicalJson } from '../../src/core/audit/index.ts';
import type { LegId } from '../../src/core/call/index.ts';
import type { TelephonyEffect } from '../../src/engine/ports.ts';
import { HEADER_BYTES } from '../../src/vault/container.ts';
import { MemoryBindings } from '../../src/telephony/index.ts';
import { drachtioServer } from '../support/drachtio-server.ts';
import { freeswitch } from '../support/freeswitch.ts';
import { notOnRunning } from '../support/left-out.ts';
import { until } from '../support/processes.ts';
import { type Message, RawPhone } from '../support/raw-phone.ts';
import { House, type ScriptedCall, type Teardown } from '../support/telephony-house.ts';

const caller = 'caller' as LegId;
const one = '1' as LegId;
const two = '2' as LegId;

const bindings = new MemoryBindings();
const recipient = await identityToRecipient(await generateX25519Identity());
/** One pair of daemons for all stories: what one leaves behind would show in the next. */
const carrierServer = { udp: 0, tcp: 0 };
const carrier = await RawPhone.open('carrier', carrierServer);
t.teardown(() => carrier.close());
const house = await House.open(t, {
  bindings,
  sealTo: (mailbox) => (mailbox === 'cardiology' ? [recipient] : []),
  trunkTarget: `sip:127.0.0.1:${carrier.port};transport=udp`,
});
Object.assign(carrierServer, house.sip);

const offeredAs = { displayName: 'Ward 4B', number: '2101', urgency: 'stat' } as const;

function ringDesk(leg: LegId, extension: string, media: 'anchored' | 'direct'): TelephonyEffect {
  return { type: 'ringLeg', leg, target: { kind: 'extension', extension }, media, offeredAs };
}

function play(token: number, ids: readonly string[], loop: 'nothing' | 'ringback'): TelephonyEffect {
  const prompts = ids.map((id) => ({ say: 'id', id }) as const);
  return { type: 'play', leg: caller, token, prompts, then: loop };
}

/** The caller is answered and hears nothing yet. */
async function answeredCaller(t: Teardown, number = '7011', toneHz = 0) {
  const party = await house.answeredCaller(t, number);
  party.rtp.talkTo(party.ok.body, toneHz);
  return party;
}

async function over(scripted: ScriptedCall): Promise<void> {
  scripted.do({ type: 'callOver', cause: 'callerHungUp' });
}

void t.test('phones register over UDP and TCP with both digests', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    for (const algorithm of ['SHA-256', 'MD5'] as const) {
      const phone = await house.phone(t, '2101', transport);
      const ok = await phone.register({ algorithm });
      t.equal(ok.status, 200, `${transport} ${algorithm}`);
      t.match(ok.get('Contact'), `<sip:2101-${phone.port}@127.0.0.1:${phone.port}`);
    }
  }
  t.equal(house.telephony.bindings.length, 4, 'four contacts of one extension');
  t.ok(house.telephony.reachability.isRegistered('2101'));
  t.notOk(house.telephony.reachability.isRegistered('2102'));
  t.equal((await bindings.load()).length, 4);

  const phone = await house.phone(t, '2101');
  t.match((await phone.register({ contact: '' })).text.match(/expires=/g), { length: 4 }, 'asking lists them');
  const brief = await phone.register({ expires: 5 });
  t.equal(brief.status, 423);
  t.equal(brief.get('Min-Expires'), '60');
  t.equal((await phone.register({ contact: '*', expires: 60 })).status, 400);
  for (const contact of ['<tel:+12025550100>', '<http://phone.example>', '<sip:2101@127.0.0.1'])
    t.equal((await phone.register({ contact })).status, 400, contact);
  t.equal((await phone.register({ to: 'isbn:2983792873' })).status, 400, 'nobody could be meant by that');
  t.equal((await phone.register({ to: 'sip:2102@wardline' })).status, 403, 'somebody else is');
  t.equal((await phone.register({ contact: '*', expires: 0 })).status, 200);
  t.equal(house.telephony.bindings.length, 0);
  t.same(house.log.takeErrors(), []);
});

void t.test('a wrong password and an unknown extension get the same bytes', async (t) => {
  // What differs between any two requests: the nonce, and what we must echo or tag.
  const blind = (message: Message): string =>
    message.text.replace(/nonce="[^"]+"/g, '').replace(/^(Via|From|To|Call-ID|CSeq): .*\r\n/gim, '');
  const wrong = await (await house.phone(t, '2101')).register({ password: 'guess' });
  const unknown = await (await house.phone(t, '9999')).register({ password: 'guess' });
  t.equal(wrong.status, 401);
  t.equal(blind(wrong), blind(unknown));
  t.match(wrong.all('WWW-Authenticate')[0], /algorithm=SHA-256/);
  t.match(wrong.all('WWW-Authenticate')[1], /algorithm=MD5/);

  for (const user of ['2101', '9999']) {
    const phone = await house.phone(t, user);
    const { call } = await phone.invite('7011', { password: 'guess', body: (await house.rtp(t)).sdp() });
    t.equal((await phone.nextResponse(call, 'INVITE')).status, 401, `INVITE of ${user}`);
  }
});

void t.test('what is refused at the door, and how', async (t) => {
  const phone = await house.phone(t, '2101');
  const { sdp } = await house.rtp(t).then((rtp) => ({ sdp: rtp.sdp() }));
  const refused = async (options: Parameters<RawPhone['invite']>[1]): Promise<Message> => {
    const { call } = await phone.invite('7011', options);
    return phone.nextResponse(call, 'INVITE');
  };
  const required = await refused({ body: sdp, headers: ['Require: foo'] });
  t.equal(required.status, 420);
  t.equal(required.get('Unsupported'), 'foo');
  t.equal((await refused({ body: 'hello', type: 'text/plain' })).status, 415);
  t.equal((await refused({ body: sdp.replace('m=audio', 'm=video') })).status, 488);
  house.refuseWith = 503;
  t.equal((await refused({ body: sdp })).status, 503);
  house.refuseWith = 0;

  const outside = { callId: 'x', localTag: 'y', target: 'sip:wardline', cseq: 1, remoteTag: '', remoteTarget: '' };
  for (const [method, status] of [
    ['OPTIONS', 200],
    ['MESSAGE', 405],
    ['SUBSCRIBE', 489],
    ['PUBLISH', 405],
  ] as const) {
    const call = { ...outside, callId: `x-${method}` };
    phone.request(method, 'sip:wardline', { call, cseq: 1, headers: [`Contact: ${phone.contact}`, 'Event: x'] });
    t.equal((await phone.nextResponse(call, method)).status, status, method);
  }
  t.same(house.log.takeErrors(), []);
});

for (const hangsUp of ['caller', 'called'] as const) {
  void t.test(`phone to phone, direct media, the ${hangsUp} hangs up`, async (t) => {
    const called = await house.registered(t, '2102', hangsUp === 'caller' ? 'udp' : 'tcp');
    const phone = await house.phone(t, '2101');
    const [a, b] = [await house.rtp(t), await house.rtp(t)];
    const { call } = await phone.invite('2102', { body: a.sdp() });
    const scripted = await house.nextCall();
    t.match(scripted.newCall, { caller: { from: { kind: 'phone', extension: '2101' } }, dialled: '2102' });
    scripted.do(ringDesk(one, '2102', 'direct'));
    const invite = await called.nextRequest('INVITE');
    t.match(invite.get('From'), '"Ward 4B" <sip:2101@wardline>');
    t.equal(invite.get('Priority'), 'emergency');
    t.match(invite.body, `m=audio ${a.port} `, 'the offer is the caller’s own');
    called.respond(invite, 180);
    await scripted.next('legRinging');
    scripted.do({ type: 'ringCaller' });
    await phone.nextResponse(call, 'INVITE', 180);
    called.respond(invite, 200, { body: b.sdp() });
    t.match(await scripted.next('legAnswered'), { media: { path: 'direct', codec: 'PCMU' } });
    await called.nextRequest('ACK');
    scripted.do({ type: 'connectDirect', leg: one });
    const ok = await phone.nextResponse(call, 'INVITE');
    phone.acknowledge(call, ok);
    t.match(ok.body, `m=audio ${b.port} `);
    await scripted.next('bridged');

    a.talkTo(ok.body, 600);
    await b.hears(600);

    phone.inDialog(call, 'INFO', ['Content-Type: application/dtmf-relay'], 'Signal=4\r\n');
    const info = await called.nextRequest('INFO');
    t.equal(info.body, 'Signal=4\r\n');
    called.respond(info, 200);
    t.equal((await phone.nextResponse(call, 'INFO')).status, 200);

    phone.inDialog(call, 'INVITE', ['Content-Type: application/sdp'], a.sdp('sendonly', 2));
    const hold = await called.nextRequest('INVITE');
    t.match(hold.body, 'a=sendonly', 'hold reaches the other phone');
    called.respond(hold, 200, { body: b.sdp('recvonly', 2) });
    const held = await phone.nextResponse(call, 'INVITE');
    t.match(held.body, 'a=recvonly');
    phone.acknowledge(call, held);

    if (hangsUp === 'caller') {
      phone.inDialog(call, 'BYE');
      await scripted.next('callerHungUp');
      scripted.do({ type: 'standDownLeg', leg: one, because: 'callOver' });
      const bye = await called.nextRequest('BYE');
      await over(scripted);
      const ping = { callId: 'ping', localTag: 'x', target: 'sip:wardline', cseq: 1, remoteTag: '', remoteTarget: '' };
      called.request('OPTIONS', 'sip:wardline', { call: ping, cseq: 1, headers: [`Contact: ${called.contact}`] });
      await called.nextResponse(ping, 'OPTIONS');
      const others = called.inbox.filter(({ method, text }) => method === 'BYE' && text !== bye.text);
      t.same(others, [], 'one BYE is enough');
      called.respond(bye, 200);
    } else {
      called.inDialog(called.dialogOf(invite), 'BYE');
      t.match(await scripted.next('legEnded'), { by: 'remote' });
      scripted.do({ type: 'hangUpCaller', cause: 'calleeHungUp' });
      const bye = await phone.nextRequest('BYE');
      t.match(bye.get('Reason'), 'Q.850;cause=16');
      phone.respond(bye, 200);
      await over(scripted);
    }
    t.same(house.log.takeErrors(), []);
  });
}

void t.test('a call that comes back to us again and again ends', async (t) => {
  const called = await house.registered(t, '2102');
  const phone = await house.phone(t, '2101');
  const rtp = await house.rtp(t);
  const passed = async (hops: string) => {
    const { call } = await phone.invite('2102', { body: rtp.sdp(), headers: [`Max-Forwards: ${hops}`] });
    const scripted = await house.nextCall();
    scripted.do(ringDesk(one, '2102', 'direct'));
    return { call, scripted };
  };
  const first = await passed('2');
  const invite = await called.nextRequest('INVITE');
  t.equal(invite.get('Max-Forwards'), '1');
  called.respond(invite, 486);
  await first.scripted.next('legFailed');
  await over(first.scripted);
  await phone.nextResponse(first.call, 'INVITE');
  const last = await passed('0');
  t.match(await last.scripted.next('legFailed'), { result: { kind: 'unreachable', sipStatus: 483 } });
  await over(last.scripted);
  await phone.nextResponse(last.call, 'INVITE');
  t.same(house.log.takeErrors(), []);
});

void t.test('the caller cancels; busy; declined; not registered; nobody there', async (t) => {
  const called = await house.registered(t, '2102');
  const phone = await house.phone(t, '2101');
  const rtp = await house.rtp(t);
  const { call, branch } = await phone.invite('2102', { body: rtp.sdp() });
  const scripted = await house.nextCall();
  scripted.do(ringDesk(one, '2102', 'direct'));
  const invite = await called.nextRequest('INVITE');
  called.respond(invite, 180);
  await scripted.next('legRinging');
  phone.cancel(call, branch);
  t.equal((await phone.nextResponse(call, 'INVITE')).status, 487);
  await scripted.next('callerHungUp');
  scripted.do({ type: 'standDownLeg', leg: one, because: 'callerGone' });
  const cancel = await called.nextRequest('CANCEL');
  t.equal(cancel.get('Reason'), '', 'nobody answered elsewhere');
  called.respond(cancel, 200);
  called.respond(invite, 487);
  t.match(await scripted.next('legFailed'), { result: { kind: 'cancelled' } });
  await over(scripted);

  const next = await phone.invite('2102', { body: rtp.sdp() });
  const again = await house.nextCall();
  for (const [leg, status, kind] of [
    [one, 486, 'busy'],
    [two, 603, 'declined'],
  ] as const) {
    again.do(ringDesk(leg, '2102', 'direct'));
    called.respond(await called.nextRequest('INVITE'), status);
    t.match(await again.next('legFailed', leg), { result: { kind, sipStatus: status } });
  }
  again.do(ringDesk('3' as LegId, '3101', 'direct'));
  t.match(await again.next('legFailed', '3'), { result: { kind: 'notRegistered' } });
  const target = { kind: 'number', e164: '+12025550111', trunk: 'spare' } as const;
  again.do({ type: 'ringLeg', leg: '4' as LegId, target, media: 'anchored', offeredAs });
  t.match(await again.next('legFailed', '4'), { result: { kind: 'trunkUnavailable', why: /spare\.target/ } });
  again.do({ type: 'refuseCaller', cause: 'busy' });
  const refusal = await phone.nextResponse(next.call, 'INVITE');
  t.equal(refusal.status, 486);
  t.match(refusal.get('Reason'), 'Q.850;cause=17');
  await over(again);
  t.same(house.log.takeErrors(), []);
});

void t.test('an answered caller hears a prompt, then ringing, then another prompt', async (t) => {
  const { rtp, phone, call, scripted } = await answeredCaller(t);
  scripted.do(play(1, ['long'], 'nothing'));
  await rtp.hears(700);
  scripted.do(play(2, ['short'], 'ringback'));
  await rtp.hears(900);
  await rtp.hears(440);
  scripted.do(play(3, ['short', 'short'], 'nothing'));
  await rtp.hears(900);
  t.match(await scripted.next('promptFinished'), { token: 3 });
  t.same(scripted.events, [], 'what was replaced is not reported');
  phone.inDialog(call, 'BYE');
  await scripted.next('callerHungUp');
  await over(scripted);
  t.same(house.log.takeErrors(), []);
});

void t.test('two phones ring anchored, the first answer wins, the other is told why', async (t) => {
  const first = await house.registered(t, '3101');
  const second = await house.registered(t, '3102');
  const { rtp, phone, call, scripted } = await answeredCaller(t, '7011', 600);
  scripted.do(ringDesk(one, '3101', 'anchored'), ringDesk(two, '3102', 'anchored'));
  const invite = await first.nextRequest('INVITE');
  const other = await second.nextRequest('INVITE');
  first.respond(invite, 180);
  second.respond(other, 180);
  await scripted.next('legRinging', '1');
  await scripted.next('legRinging', '2');
  const doctor = await house.rtp(t);
  first.respond(invite, 200, { body: doctor.sdp() });
  t.match(await scripted.next('legAnswered'), { leg: one, media: { path: 'anchored', codec: 'PCMU' } });
  scripted.do({ type: 'standDownLeg', leg: two, because: 'takenElsewhere' }, { type: 'bridge', leg: one });
  const cancel = await second.nextRequest('CANCEL');
  t.match(cancel.get('Reason'), /^SIP;cause=200/);
  second.respond(cancel, 200);
  second.respond(other, 487);
  t.match(await scripted.next('legFailed'), { leg: two, result: { kind: 'cancelled' } });
  await scripted.next('bridged');
  // A time-out that comes behind the answer leaves whoever picked up alone.
  scripted.do({ type: 'standDownLeg', leg: one, because: 'stepOver', unlessAnswered: true });
  doctor.talkTo(invite.body, 1000);
  await doctor.hears(600);
  await rtp.hears(1000);

  first.inDialog(first.dialogOf(invite), 'BYE');
  t.match(await scripted.next('legEnded'), { leg: one, by: 'remote' });
  scripted.do({ type: 'hangUpCaller', cause: 'calleeHungUp' });
  phone.respond(await phone.nextRequest('BYE'), 200);
  t.ok(call.remoteTag);
  await over(scripted);
  // Told by either media server, and only of who was heard.
  for (const leg of ['caller', '1']) {
    const { sound } = await scripted.next('soundMeasured', leg);
    t.ok(sound.mosHundredths > 100 && sound.mosHundredths <= 450 && sound.lostPermille <= 1000, JSON.stringify(sound));
    t.match(
      canonicalJson({ fact: 'soundMeasured', leg, ...sound }, String),
      /"mosHundredths":\d/,
      'and it can be written',
    );
  }
  t.notOk(scripted.events.some(({ type }) => type === 'soundMeasured'));
  t.same(house.log.takeErrors(), []);
});

void t.test('all phones of an extension ring; the others stop when one answers', async (t) => {
  const desk = await house.registered(t, '3101');
  const soft = await house.registered(t, '3101', 'tcp');
  const { phone, call, scripted } = await answeredCaller(t);
  scripted.do(ringDesk(one, '3101', 'anchored'));
  const atDesk = await desk.nextRequest('INVITE');
  const atSoft = await soft.nextRequest('INVITE');
  desk.respond(atDesk, 486);
  soft.respond(atSoft, 180);
  soft.respond(atSoft, 200, { body: (await house.rtp(t)).sdp() });
  await scripted.next('legAnswered');
  scripted.do({ type: 'standDownLeg', leg: one, because: 'callOver' });
  soft.respond(await soft.nextRequest('BYE'), 200);

  scripted.do(ringDesk(two, '3101', 'anchored'));
  const again = await desk.nextRequest('INVITE');
  desk.respond(again, 180);
  const atSoftToo = await soft.nextRequest('INVITE');
  soft.respond(atSoftToo, 180);
  desk.respond(again, 200, { body: (await house.rtp(t)).sdp() });
  await scripted.next('legAnswered', '2');
  t.match((await soft.nextRequest('CANCEL')).get('Reason'), /^SIP;cause=200/);
  phone.inDialog(call, 'BYE');
  await scripted.next('callerHungUp');
  await over(scripted);
  t.equal((await desk.nextRequest('BYE')).method, 'BYE', 'the end of the call takes every leg with it');
  t.same(house.log.takeErrors(), []);
});

void t.test('keys by RFC 4733 and by INFO, and none', async (t) => {
  const { rtp, phone, call, scripted } = await answeredCaller(t);
  const gather = (token: number, maxDigits: number, waitMs: number): void =>
    scripted.do({
      type: 'gather',
      leg: caller,
      token,
      prompts: [{ say: 'id', id: 'long' }],
      maxDigits,
      waitMs,
      isAgain: false,
    });
  gather(1, 1, 5000);
  await rtp.hears(700);
  rtp.press('7');
  t.match(await scripted.next('digitsGathered'), { token: 1, digits: '7' });

  gather(2, 1, 5000);
  phone.inDialog(call, 'INFO', ['Content-Type: application/dtmf-relay'], 'Signal=9\r\nDuration=160\r\n');
  t.equal((await phone.nextResponse(call, 'INFO')).status, 200);
  t.match(await scripted.next('digitsGathered'), { token: 2, digits: '9' });

  gather(3, 3, 5000);
  for (const key of ['1', '2', '#']) rtp.press(key);
  t.match(await scripted.next('digitsGathered'), { token: 3, digits: '12' });

  scripted.do({ type: 'gather', leg: caller, token: 4, prompts: [], maxDigits: 1, waitMs: 300, isAgain: false });
  t.match(await scripted.next('digitsGathered'), { token: 4, digits: '' });
  phone.inDialog(call, 'BYE');
  await scripted.next('callerHungUp');
  await over(scripted);
  t.same(house.log.takeErrors(), []);
});

void t.test('a key between two questions is the answer when the same is asked again', async (t) => {
  const { rtp, phone, call, scripted } = await answeredCaller(t);
  const gather = (token: number, isAgain: boolean): void =>
    scripted.do({ type: 'gather', leg: caller, token, prompts: [], maxDigits: 1, waitMs: 3000, isAgain });
  gather(1, false);
  rtp.press('4');
  t.match(await scripted.next('digitsGathered'), { token: 1, digits: '4' });

  // The prompt gives the key time to come before there is a question.
  const pressBetween = async (key: string): Promise<void> => {
    scripted.do(play(9, ['short', 'short'], 'nothing'));
    rtp.press(key);
    await scripted.next('promptFinished');
  };
  await pressBetween('5');
  gather(2, true);
  t.match(await scripted.next('digitsGathered'), { token: 2, digits: '5' });

  await pressBetween('6');
  gather(3, false);
  t.match(await scripted.next('digitsGathered'), { token: 3, digits: '' }, 'a new question has a new answer');
  phone.inDialog(call, 'BYE');
  await scripted.next('callerHungUp');
  await over(scripted);
  t.same(house.log.takeErrors(), []);
});

void t.test('a message is recorded sealed; "#" ends it, and so does hanging up', async (t) => {
  const record = (messageId: string): TelephonyEffect => ({
    type: 'recordMessage',
    messageId,
    mailbox: 'cardiology',
    urgent: true,
    maxMs: 60_000,
  });
  for (const by of ['key', 'hangUp'] as const) {
    const { rtp, phone, call, scripted } = await answeredCaller(t, '7011', 600);
    const messageId = `message-${by}`;
    scripted.do(play(1, ['short'], 'nothing'));
    await scripted.next('promptFinished');
    scripted.do(record(messageId));
    await until('some of it', () => house.recordedBytes(messageId) > HEADER_BYTES + 8000);
    if (by === 'key') rtp.press('#');
    else {
      phone.inDialog(call, 'BYE');
      await scripted.next('callerHungUp');
    }
    const ended = await scripted.next('recordingEnded');
    t.match(ended, { messageId, by });
    t.ok(ended.durationMs >= 400 && ended.durationMs < 60_000, `${ended.durationMs} ms`);
    t.ok(readFileSync(path.join(house.recordingsDir, `${messageId}.sealed`)).length > 1000);
    if (by === 'key') scripted.do({ type: 'hangUpCaller', cause: 'messageLeft' });
    await over(scripted);
  }
  t.same(house.log.takeErrors(), []);
});

void t.test('without a key to seal to nothing is recorded', async (t) => {
  const { scripted } = await answeredCaller(t);
  scripted.do({ type: 'recordMessage', messageId: 'm', mailbox: 'office', urgent: false, maxMs: 1000 });
  t.match(await scripted.next('recordingEnded'), { by: 'failed', why: /no key/, durationMs: 0 });
  await over(scripted);
});

void t.test('a trunk brings a call in by its address, also without an offer', async (t) => {
  const trunk = await house.phone(t, '+12025550199', 'udp', '127.0.0.2');
  const rtp = await house.rtp(t);
  const { call } = await trunk.invite('+12025550100', { isTrunk: true });
  const scripted = await house.nextCall();
  t.match(scripted.newCall, { caller: { from: { kind: 'trunk', trunk: 'carrier' } }, dialled: '+12025550100' });
  t.equal(scripted.newCall.caller.number?.reveal(), '+12025550199');
  scripted.do({ type: 'answerCaller' });
  const ok = await trunk.nextResponse(call, 'INVITE');
  t.match(ok.body, 'm=audio', 'the offer is ours');
  trunk.acknowledge(call, ok, rtp.sdp());
  t.match(await scripted.next('callerAnswered'), { media: { path: 'anchored', codec: 'PCMU' } });
  rtp.talkTo(ok.body, 500);
  scripted.do(play(1, ['long'], 'nothing'));
  await rtp.hears(700);
  trunk.inDialog(call, 'INVITE', ['Content-Type: application/sdp'], rtp.sdp('sendrecv', 2));
  const changed = await trunk.nextResponse(call, 'INVITE');
  t.equal(changed.status, 200);
  t.match(changed.body, 'm=audio');
  trunk.acknowledge(call, changed);
  trunk.inDialog(call, 'REFER', ['Refer-To: <sip:x@y>']);
  t.equal((await trunk.nextResponse(call, 'REFER')).status, 501);
  scripted.do({ type: 'hangUpCaller', cause: 'messageLeft' });
  trunk.respond(await trunk.nextRequest('BYE'), 200);
  await over(scripted);
  t.same(house.log.takeErrors(), []);
});

void t.test('an outside number goes out through the trunk, with its digest and nothing about the ward', async (t) => {
  const { phone, call, rtp, scripted } = await answeredCaller(t, '7011', 600);
  const target = { kind: 'number', e164: '+12025550111', trunk: 'carrier' } as const;
  scripted.do({ type: 'ringLeg', leg: one, target, media: 'anchored', offeredAs });
  const first = await carrier.nextRequest('INVITE');
  t.match(first.start, /^INVITE sip:\+12025550111@127\.0\.0\.1/);
  const challenge = 'Proxy-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"';
  carrier.respond(first, 407, { headers: [challenge] });
  await carrier.nextRequest('ACK');
  const invite = await carrier.nextRequest('INVITE');
  t.match(invite.get('Proxy-Authorization'), 'username="lakeside"');
  t.match(invite.get('From'), /^<sip:\+12025550100@wardline>/);
  t.notMatch(invite.text, 'Ward 4B');
  carrier.respond(invite, 183);
  await scripted.next('legRinging');
  const mobile = await house.rtp(t);
  carrier.respond(invite, 200, { body: mobile.sdp() });
  await scripted.next('legAnswered');
  mobile.talkTo(invite.body, 1000);
  scripted.do({
    type: 'gather',
    leg: one,
    token: 5,
    prompts: [{ say: 'id', id: 'long' }],
    maxDigits: 1,
    waitMs: 5000,
    isAgain: false,
    hints: true,
  });
  await mobile.hears(700);
  // A tone is what mailboxes have; FreeSWITCH does not say, and nobody waits for it.
  if (freeswitch === undefined) t.match(await scripted.next('answerHinted'), { leg: one, hint: 'mailbox' });
  mobile.press('4');
  t.match(await scripted.next('digitsGathered'), { leg: one, digits: '4' });
  scripted.do({ type: 'bridge', leg: one });
  await scripted.next('bridged');
  await rtp.hears(1000);
  await mobile.hears(600);
  scripted.do({ type: 'standDownLeg', leg: one, because: 'callOver' });
  carrier.respond(await carrier.nextRequest('BYE'), 200);

  scripted.do({ type: 'ringLeg', leg: two, target, media: 'anchored', offeredAs });
  carrier.respond(await carrier.nextRequest('INVITE'), 503);
  t.match(await scripted.next('legFailed'), { result: { kind: 'trunkUnavailable', why: /answered 503/ } });

  // A carrier that says nothing is given up where there is another, and may not ring the doctor all the same later on.
  const several = { ...target, failover: ['spare'] };
  scripted.do({ type: 'ringLeg', leg: '3' as LegId, target: several, media: 'anchored', offeredAs });
  const unheard = await carrier.nextRequest('INVITE');
  t.match(await scripted.next('legFailed', '3'), { result: { kind: 'trunkUnavailable', why: /is silent for 1 s/ } });
  carrier.respond(unheard, 100);
  carrier.respond(await carrier.nextRequest('CANCEL'), 200);
  carrier.respond(unheard, 487);
  phone.inDialog(call, 'BYE');
  await scripted.next('callerHungUp');
  await over(scripted);
  t.same(house.log.takeErrors(), []);
});

void t.test('an answer that crosses the CANCEL is told, and can still take the call', async (t) => {
  const called = await house.registered(t, '3101');
  const { scripted } = await answeredCaller(t, '7011', 600);
  scripted.do(ringDesk(one, '3101', 'anchored'));
  const invite = await called.nextRequest('INVITE');
  called.respond(invite, 180);
  await scripted.next('legRinging');
  scripted.do({ type: 'standDownLeg', leg: one, because: 'stepOver' });
  const cancel = await called.nextRequest('CANCEL');
  const doctor = await house.rtp(t);
  called.respond(invite, 200, { body: doctor.sdp() });
  called.respond(cancel, 200);
  if (drachtioServer !== undefined) {
    // It hangs up by itself whoever answers then: the chain goes on as if nobody had.
    t.equal((await called.nextRequest('BYE')).method, 'BYE');
    t.match(await scripted.next('legFailed'), { result: { kind: 'cancelled' } });
    await over(scripted);
    return t.same(house.log.takeErrors(), []);
  }
  await scripted.next('legAnswered');
  scripted.do({ type: 'bridge', leg: one });
  await scripted.next('bridged');
  doctor.talkTo(invite.body);
  await doctor.hears(600);
  await over(scripted);
  t.equal((await called.nextRequest('BYE')).method, 'BYE');
  t.same(house.log.takeErrors(), []);
});

void t.test('phone to phone without an offer of the caller is anchored', async (t) => {
  const called = await house.registered(t, '2102');
  const phone = await house.phone(t, '2101');
  const [a, b] = [await house.rtp(t), await house.rtp(t)];
  const { call } = await phone.invite('2102');
  const scripted = await house.nextCall();
  scripted.do(ringDesk(one, '2102', 'direct'));
  const invite = await called.nextRequest('INVITE');
  called.respond(invite, 200, { body: b.sdp() });
  t.match(await scripted.next('legAnswered'), { media: { path: 'anchored' } });
  scripted.do({ type: 'connectDirect', leg: one });
  const ok = await phone.nextResponse(call, 'INVITE');
  phone.acknowledge(call, ok, a.sdp());
  await scripted.next('bridged');
  a.talkTo(ok.body, 600);
  b.talkTo(invite.body, 1000);
  await b.hears(600);
  await a.hears(1000);
  await over(scripted);
  t.equal((await phone.nextRequest('BYE')).method, 'BYE');
  t.same(house.log.takeErrors(), []);
});

void t.test('the end of a call takes along whoever still rings', async (t) => {
  const called = await house.registered(t, '3101');
  const phone = await house.phone(t, '2101');
  const { call, branch } = await phone.invite('3101', { body: (await house.rtp(t)).sdp() });
  const scripted = await house.nextCall();
  scripted.do(ringDesk(one, '3101', 'direct'));
  called.respond(await called.nextRequest('INVITE'), 180);
  await scripted.next('legRinging');
  scripted.do({ type: 'callOver', cause: 'overloaded' });
  t.equal((await called.nextRequest('CANCEL')).method, 'CANCEL');
  const refusal = await phone.nextResponse(call, 'INVITE');
  phone.ackFailure(call, refusal, branch);
  t.equal(refusal.status, 503);
  t.equal(house.telephony.health().calls, 0);
  t.same(house.log.takeErrors(), []);
});

void t.test('somebody else’s name in From is refused', async (t) => {
  const phone = await house.phone(t, '2101');
  const { call } = await phone.invite('7011', { body: (await house.rtp(t)).sdp(), shownAs: '2102' });
  t.equal((await phone.nextResponse(call, 'INVITE')).status, 403);
});

void t.test('the connection to the signalling server is cut: calls go on and end from both sides', async (t) => {
  const first = await answeredCaller(t);
  const second = await answeredCaller(t);
  house.relay.cut();
  await until('the signalling server to be missed', () => !house.isUp('signalling'));
  t.match(house.telephony.reachability.trunkFault('carrier'), /no signalling server is up/);
  await until('the signalling server to be back', () => house.isUp('signalling'));
  t.equal(house.telephony.reachability.trunkFault('carrier'), null);
  first.phone.inDialog(first.call, 'BYE');
  // drachtio-server shows it to nobody, for the dialog was the lost connection's: the silence after it shows that it is over.
  t.equal((await first.phone.nextResponse(first.call, 'BYE')).status, drachtioServer === undefined ? 200 : 481);
  first.rtp.fallSilent();
  await until('the caller to have hung up', () => first.scripted.events.length > 0);
  await first.scripted.next('callerHungUp');
  await over(first.scripted);
  second.scripted.do({ type: 'hangUpCaller', cause: 'messageLeft' });
  second.phone.respond(await second.phone.nextRequest('BYE'), 200);
  await over(second.scripted);
  const phone = await house.phone(t, '2101');
  t.equal((await phone.register({ contact: '' })).status, 200, 'new requests arrive');
  t.same(house.log.takeErrors(), []);
});

/** A caller hears a phone ring. */
async function ringing(t: Teardown) {
  const called = await house.registered(t, '2102');
  const phone = await house.phone(t, '2101');
  const { call, branch } = await phone.invite('2102', { body: (await house.rtp(t)).sdp() });
  const scripted = await house.nextCall();
  scripted.do(ringDesk(one, '2102', 'direct'), { type: 'ringCaller' });
  called.respond(await called.nextRequest('INVITE'), 180);
  await scripted.next('legRinging');
  return { phone, called, call, branch, scripted };
}

void t.test('the connection is cut while a phone rings: the leg fails, the caller keeps waiting', async (t) => {
  const { phone, called, call, scripted } = await ringing(t);
  house.relay.cut();
  await until('the signalling server to be missed', () => !house.isUp('signalling'));
  // A leg that is rung now waits for the connection instead of failing at once.
  scripted.do(ringDesk(two, '2102', 'direct'));
  t.match(await scripted.next('legFailed', '1'), { result: { kind: 'unreachable' } });
  const invite = await called.nextRequest('INVITE');
  called.respond(invite, 200, { body: (await house.rtp(t)).sdp() });
  await scripted.next('legAnswered', '2');
  scripted.do({ type: 'connectDirect', leg: two });
  phone.acknowledge(call, await phone.nextResponse(call, 'INVITE'));
  await scripted.next('bridged');
  await over(scripted);
  t.equal(house.telephony.health().calls, 0, 'and nothing arrived twice');
  t.same(house.log.takeErrors(), []);
});

void t.test('the connection is cut while a phone rings: the caller cancels', async (t) => {
  const { phone, called, call, branch, scripted } = await ringing(t);
  house.relay.cut();
  await until('the signalling server to be missed', () => !house.isUp('signalling'));
  await until('the signalling server to be back', () => house.isUp('signalling'));
  t.match(await scripted.next('legFailed', '1'), { result: { kind: 'unreachable' } });
  phone.cancel(call, branch);
  t.equal((await phone.nextResponse(call, 'INVITE')).status, 487);
  if (drachtioServer !== undefined) {
    // It shows the CANCEL to nobody: only when somebody picks up it says that there is no caller.
    scripted.do(ringDesk(two, '2102', 'direct'));
    const invite = await called.nextRequest('INVITE');
    called.respond(invite, 200, { body: (await house.rtp(t)).sdp() });
    await scripted.next('legAnswered', '2');
    scripted.do({ type: 'connectDirect', leg: two });
  }
  await scripted.next('callerHungUp');
  await over(scripted);
  if (drachtioServer !== undefined) t.equal((await called.nextRequest('BYE')).method, 'BYE');
  t.equal(house.telephony.health().calls, 0, 'and nothing arrived twice');
  t.same(house.log.takeErrors(), []);
});

void t.test('the connection is cut while a phone rings: the caller cancels in the meantime', async (t) => {
  const { phone, call, branch, scripted } = await ringing(t);
  house.relay.cut();
  await until('the signalling server to be missed', () => !house.isUp('signalling'));
  phone.cancel(call, branch);
  t.equal((await phone.nextResponse(call, 'INVITE')).status, 487);
  await until('the signalling server to be back', () => house.isUp('signalling'));
  await scripted.next('callerHungUp');
  await over(scripted);
  t.equal(house.telephony.health().calls, 0);
  t.same(house.log.takeErrors(), []);
});

void t.test(
  'the media server dies: calls are told, and the next one is found by itself',
  notOnRunning('media'),
  async (t) => {
    const { scripted } = await answeredCaller(t);
    t.match(house.telephony.health(), { signalling: [{ isUp: true }], media: [{ isUp: true }], calls: 1 });
    await house.mediad.kill();
    // It could be back: the caller is not given up at once.
    await until('the caller to be given up', () => scripted.events.some(({ type }) => type === 'legEnded'), 20_000);
    t.match(await scripted.next('legEnded'), { leg: caller, by: 'mediaLost' });
    await over(scripted);
    await until('the media server to be missed', () => !house.isUp('media'));
    const phone = await house.phone(t, '2101');
    const { call } = await phone.invite('7011', { body: (await house.rtp(t)).sdp() });
    const next = await house.nextCall();
    next.do({ type: 'answerCaller' });
    t.match(await next.next('callerAnswerFailed'), { why: /mediaUnavailable/ });
    next.do({ type: 'refuseCaller', cause: 'mediaUnavailable' });
    t.equal((await phone.nextResponse(call, 'INVITE')).status, 503);
    await over(next);

    await house.mediad.restart();
    await until('the media server to be back', () => house.isUp('media'));
    const again = await answeredCaller(t);
    again.scripted.do(play(1, ['long'], 'nothing'));
    await again.rtp.hears(700);
    await over(again.scripted);
    t.same(house.log.takeErrors(), []);
  },
);

void t.test(
  'the signalling server dies and is started anew: calls with sound go on, phones stay registered',
  notOnRunning('signalling'),
  async (t) => {
    const called = await house.registered(t, '2102');
    const { scripted, phone, rtp } = await answeredCaller(t);
    await house.sipd.kill();
    await until('the signalling server to be missed', () => !house.isUp('signalling'));
    t.ok(house.telephony.reachability.isRegistered('2102'));
    scripted.do(ringDesk(one, '2102', 'anchored'));
    t.match(await scripted.next('legFailed'), { leg: one });
    await house.sipd.restart();
    await until('the signalling server to be back', () => house.isUp('signalling'));
    scripted.do(play(1, ['long'], 'nothing'));
    await rtp.hears(700);
    t.same(scripted.events, []);
    scripted.do({ type: 'hangUpCaller', cause: 'messageLeft' });
    const bye = await phone.nextRequest('BYE');
    t.match(bye.get('Reason'), 'Q.850;cause=16', 'the phone is told although the server knows no such dialog');
    phone.respond(bye, 200);
    await over(scripted);
    t.equal(house.telephony.health().calls, 0);

    const again = await answeredCaller(t);
    again.scripted.do(ringDesk(one, '2102', 'anchored'));
    called.respond(await called.nextRequest('INVITE'), 486);
    t.match(await again.scripted.next('legFailed'), { result: { kind: 'busy' } });
    again.phone.inDialog(again.call, 'BYE');
    await again.scripted.next('callerHungUp');
    await over(again.scripted);
    t.same(house.log.takeErrors(), []);
  },
);

void t.test('a trunk that has answered OPTIONS and does not any more is left out', async (t) => {
  const server = { udp: 0, tcp: 0 };
  const line = await RawPhone.open('line', server);
  t.teardown(() => line.close());
  const target = `sip:127.0.0.1:${line.port};transport=udp`;
  const another = await House.open(t, { trunkTarget: target, trunkOptionsSeconds: 1 });
  Object.assign(server, another.sip);
  line.respond(await line.nextRequest('OPTIONS'), 404);
  for (const _ of ['one may be lost', 'two are not']) line.respond(await line.nextRequest('OPTIONS'), 503);
  await until('the trunk to be missed', () => another.telephony.reachability.trunkFault('carrier') !== null);
  t.match(another.telephony.health().trunks, [
    { name: 'carrier', fault: /^trunk carrier has not answered for \d+ s$/ },
  ]);
  t.match(another.log.takeErrors(), [{ words: /the trunk does not answer/ }]);
  line.respond(await line.nextRequest('OPTIONS'), 200);
  await until('it to be back', () => another.telephony.reachability.trunkFault('carrier') === null);
});
