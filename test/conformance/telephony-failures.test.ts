import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import type { LegId } from '../../src/core/call/index.ts';
import type { TelephonyEffect } from '../../src/engine/ports.ts';
import type { RawPhone } from '../support/raw-phone.ts';
import type { RtpPort } from '../support/rtp-port.ts';
import { notOnDrachtioServer, notOnRunning } from '../support/left-out.ts';
import { until } from '../support/processes.ts';
import { type AdoptedHere, House, type ScriptedCall, type Teardown } from '../support/telephony-house.ts';

// Whatever dies, vanishes or hangs: every effect has an outcome, every call an end, and the next call works.

const caller = 'caller' as LegId;
const one = '1' as LegId;
const recipient = await identityToRecipient(await generateX25519Identity());
const house = await House.open(t, { sealTo: () => [recipient], probeSeconds: 1, silenceMs: 1000 });
// Anew for each story: tap writes into the options of a test.
const [endsMedia, endsSignalling] = [() => notOnRunning('media'), () => notOnRunning('signalling')];
const offeredAs = { displayName: 'Ward 4B', number: '2101', urgency: 'stat' } as const;

function ring(extension: string, media: 'anchored' | 'direct', leg = one): TelephonyEffect {
  return { type: 'ringLeg', leg, target: { kind: 'extension', extension }, media, offeredAs };
}

function play(leg: LegId, token: number, loop: 'nothing' | 'ringback' = 'nothing'): TelephonyEffect {
  return { type: 'play', leg, token, prompts: [{ say: 'id', id: 'long' }], then: loop };
}

async function answeredCaller(t: Teardown, toneHz = 600) {
  const party = await house.answeredCaller(t);
  party.rtp.talkTo(party.ok.body, toneHz);
  return party;
}

async function answeredLeg(t: Teardown, scripted: ScriptedCall, doctor: RawPhone) {
  scripted.do(ring('3101', 'anchored'));
  const invite = await doctor.nextRequest('INVITE');
  const rtp = await house.rtp(t);
  doctor.respond(invite, 200, { body: rtp.sdp() });
  await scripted.next('legAnswered');
  rtp.talkTo(invite.body, 1000);
  return { invite, rtp };
}

/** Two phones that talk without media of ours. */
async function direct(t: Teardown, called: RawPhone) {
  const phone = await house.phone(t, '2101');
  const [a, b] = [await house.rtp(t), await house.rtp(t)];
  const { call } = await phone.invite('3101', { body: a.sdp() });
  const scripted = await house.nextCall();
  scripted.do(ring('3101', 'direct'));
  const invite = await called.nextRequest('INVITE');
  called.respond(invite, 200, { body: b.sdp() });
  await scripted.next('legAnswered');
  scripted.do({ type: 'connectDirect', leg: one });
  phone.acknowledge(call, await phone.nextResponse(call, 'INVITE'));
  await scripted.next('bridged');
  return { phone, call, scripted, invite };
}

function over(scripted: ScriptedCall): void {
  scripted.do({ type: 'callOver', cause: 'mediaLost' });
}

async function mediaBack(t: Teardown): Promise<void> {
  await house.mediad.restart();
  await until('mediad to be back', () => house.isUp('media'));
  const { rtp, scripted } = await answeredCaller(t);
  scripted.do(play(caller, 1));
  await rtp.hears(700);
  over(scripted);
  await until('no calls', () => house.telephony.health().calls === 0);
}

interface Party {
  readonly phone: RawPhone;
  readonly rtp: RtpPort;
}

/** The party is asked by a re-INVITE to send its sound elsewhere, and does. */
async function moved({ phone, rtp }: Party, toneHz: number): Promise<void> {
  const again = await phone.nextRequest('INVITE');
  phone.respond(again, 200, { body: rtp.sdp('sendrecv', 2) });
  await phone.nextRequest('ACK');
  rtp.talkTo(again.body, toneHz);
}

/** The key is pressed until it is heard: nobody waits for a prompt of which nothing is heard. */
async function pressed(scripted: ScriptedCall, rtp: RtpPort, key: string) {
  const again = setInterval(() => rtp.press(key), 500);
  rtp.press(key);
  try {
    return await scripted.next('digitsGathered');
  } finally {
    clearInterval(again);
  }
}

/** The state a call is in when the media server is killed; resolves with how it goes on when the server is back. */
const states: Record<
  string,
  (t: Teardown, call: Party & { scripted: ScriptedCall }, doctor: RawPhone) => Promise<() => Promise<unknown>>
> = {
  'a prompt plays': async (_, { rtp, scripted }) => {
    scripted.do(play(caller, 1));
    await rtp.hears(700);
    return () => rtp.hears(700);
  },
  'keys are gathered': async (_, { rtp, scripted }) => {
    scripted.do({ type: 'gather', leg: caller, token: 1, prompts: [], maxDigits: 1, waitMs: 20_000, isAgain: false });
    return async () => {
      const { token, digits } = await pressed(scripted, rtp, '7');
      if (token !== 1 || digits !== '7') throw new Error(`gathered ${digits} for ${token}`);
    };
  },
  'a phone rings': async (t, { scripted }, doctor) => {
    scripted.do(ring('3101', 'anchored'));
    const invite = await doctor.nextRequest('INVITE');
    doctor.respond(invite, 180);
    await scripted.next('legRinging');
    return async () => {
      const rtp = await house.rtp(t);
      doctor.respond(invite, 200, { body: rtp.sdp() });
      await moved({ phone: doctor, rtp }, 1000);
      await scripted.next('legAnswered');
      scripted.do(play(one, 2));
      await rtp.hears(700);
    };
  },
  'a phone is asked to accept': async (t, { scripted }, doctor) => {
    const { rtp } = await answeredLeg(t, scripted, doctor);
    scripted.do({ type: 'gather', leg: one, token: 1, prompts: [], maxDigits: 1, waitMs: 20_000, isAgain: false });
    return async () => {
      await moved({ phone: doctor, rtp }, 1000);
      const { leg, digits } = await pressed(scripted, rtp, '3');
      if (leg !== one || digits !== '3') throw new Error(`gathered ${digits}`);
    };
  },
  'both talk': async (t, { rtp: near, scripted }, doctor) => {
    const { rtp: far } = await answeredLeg(t, scripted, doctor);
    scripted.do({ type: 'bridge', leg: one });
    await scripted.next('bridged');
    return async () => {
      await moved({ phone: doctor, rtp: far }, 1000);
      await near.hears(1000);
      await far.hears(600);
    };
  },
  'a message is recorded': async (_, { rtp, scripted }) => {
    scripted.do({ type: 'recordMessage', messageId: 'm1', mailbox: 'c', urgent: true, maxMs: 60_000 });
    return async () => {
      const ended = await scripted.next('recordingEnded');
      if (ended.by !== 'failed' || ended.why === '') throw new Error(`ended by ${ended.by}`);
      scripted.do(play(caller, 2));
      await rtp.hears(700);
    };
  },
};

for (const [name, begin] of Object.entries(states)) {
  void t.test(`the media server is killed while ${name}: the call goes on when it is back`, endsMedia(), async (t) => {
    const doctor = await house.registered(t, '3101');
    const { phone, rtp, scripted } = await answeredCaller(t);
    const goesOn = await begin(t, { phone, rtp, scripted }, doctor);
    await house.mediad.kill();
    await house.mediad.restart();
    await moved({ phone, rtp }, 600);
    await goesOn();
    t.same(scripted.events, [], 'and nothing was told that did not happen');
    over(scripted);
    await phone.nextRequest('BYE');
    await until('no calls', () => house.telephony.health().calls === 0);
    t.same(house.log.takeErrors(), []);
  });
}

void t.test(
  'the media server is killed and stays away: whatever is asked of telephony has an outcome',
  endsMedia(),
  async (t) => {
    const doctor = await house.registered(t, '3101');
    const { phone, scripted } = await answeredCaller(t);
    await answeredLeg(t, scripted, doctor);
    scripted.do({ type: 'bridge', leg: one });
    await scripted.next('bridged');
    await house.mediad.kill();
    await until('both to be given up', () => scripted.events.length === 2);
    await scripted.next('legEnded', 'caller');
    await scripted.next('legEnded', '1');
    await doctor.nextRequest('BYE');
    scripted.do(play(caller, 8), {
      type: 'gather',
      leg: caller,
      token: 9,
      prompts: [],
      maxDigits: 1,
      waitMs: 1000,
      isAgain: false,
    });
    await scripted.next('promptFinished');
    t.match(await scripted.next('digitsGathered'), { token: 9, digits: '' });
    scripted.do({ type: 'bridge', leg: one });
    await scripted.next('bridgeFailed');
    scripted.do({ type: 'recordMessage', messageId: 'm2', mailbox: 'c', urgent: true, maxMs: 1000 });
    t.match(await scripted.next('recordingEnded'), { messageId: 'm2', by: 'failed' });
    over(scripted);
    await phone.nextRequest('BYE');
    await mediaBack(t);
    t.same(house.log.takeErrors(), []);
  },
);

void t.test(
  'the end of its connection is late: legs that end alone are not taken for hung up',
  endsMedia(),
  async (t) => {
    const { phone, rtp, scripted } = await answeredCaller(t);
    house.mediaRelay.hold();
    await house.mediad.kill();
    await until('it to be asked whether it is there', () => house.mediaRelay.hasHeld);
    house.mediaRelay.cut();
    await house.mediad.restart();
    await moved({ phone, rtp }, 600);
    over(scripted);
    await phone.nextRequest('BYE');
    t.same(scripted.events, []);
    t.same(house.log.takeErrors(), []);
  },
);

void t.test(
  'it is killed again while a call is being moved to it: the call is moved once more',
  endsMedia(),
  async (t) => {
    const { phone, rtp, scripted } = await answeredCaller(t);
    await house.mediad.kill();
    await house.mediad.restart();
    const again = await phone.nextRequest('INVITE');
    await house.mediad.kill();
    phone.respond(again, 200, { body: rtp.sdp('sendrecv', 2) });
    await phone.nextRequest('ACK');
    await house.mediad.restart();
    await moved({ phone, rtp }, 600);
    over(scripted);
    await phone.nextRequest('BYE');
    t.same(scripted.events, []);
    t.same(house.log.takeErrors(), []);
  },
);

void t.test('a phone that will not send its sound elsewhere loses its call, and is told', endsMedia(), async (t) => {
  const { phone, scripted } = await answeredCaller(t);
  await house.mediad.kill();
  await house.mediad.restart();
  phone.respond(await phone.nextRequest('INVITE'), 488);
  t.match(await scripted.next('legEnded'), { leg: caller, by: 'mediaLost' });
  over(scripted);
  await phone.nextRequest('BYE');
  t.same(house.log.takeErrors(), []);
});

void t.test(
  'the media server is killed and started anew: who is answered meanwhile waits for the connection',
  endsMedia(),
  async (t) => {
    const phone = await house.phone(t, '2101');
    const { call } = await phone.invite('7011', { body: (await house.rtp(t)).sdp() });
    const scripted = await house.nextCall();
    await house.mediad.kill();
    await until('mediad to be missed', () => !house.isUp('media'));
    await house.mediad.restart();
    scripted.do({ type: 'answerCaller' });
    phone.acknowledge(call, await phone.nextResponse(call, 'INVITE'));
    await scripted.next('callerAnswered');
    over(scripted);
    await phone.nextRequest('BYE');
    t.same(house.log.takeErrors(), []);
  },
);

void t.test('a media server that hangs counts as dead', { timeout: 60_000, ...endsMedia() }, async (t) => {
  const { phone, scripted } = await answeredCaller(t);
  scripted.do(play(caller, 1, 'ringback'));
  house.mediad.freeze();
  await until('its silence to be noticed', () => scripted.events.some((event) => event.type === 'legEnded'));
  t.match(await scripted.next('legEnded'), { leg: caller, by: 'mediaLost' });
  over(scripted);
  await phone.nextRequest('BYE');
  await house.mediad.kill();
  await mediaBack(t);
  t.same(house.log.takeErrors(), []);
});

void t.test(
  'a signalling server that hangs counts as lost, and is used again when it is back',
  { timeout: 60_000, ...endsSignalling() },
  async (t) => {
    house.sipd.freeze();
    await until('its silence to be noticed', () => !house.isUp('signalling'));
    t.match(house.telephony.health().signalling, [{ why: /does not answer|closed/ }]);
    await house.sipd.kill();
    await house.sipd.restart();
    await until('it to be back', () => house.isUp('signalling'));
    const { rtp, phone, scripted } = await answeredCaller(t);
    scripted.do(play(caller, 1));
    await rtp.hears(700);
    over(scripted);
    await phone.nextRequest('BYE');
    t.same(house.log.takeErrors(), []);
  },
);

void t.test('an anchored phone whose cable is pulled is asked, and given up when it does not answer', async (t) => {
  const doctor = await house.registered(t, '3101');
  const { phone, call, scripted } = await answeredCaller(t);
  const { rtp } = await answeredLeg(t, scripted, doctor);
  scripted.do({ type: 'bridge', leg: one });
  await scripted.next('bridged');

  await t.test('one that is only quiet answers, as often as it is asked', async (t) => {
    rtp.fallSilent();
    for (const round of [1, 2]) {
      doctor.respond(await doctor.nextRequest('OPTIONS'), 200);
      t.pass(`asked ${round}`);
    }
    t.same(scripted.events, []);
  });
  await doctor.nextRequest('OPTIONS');
  t.match(await scripted.next('legEnded'), { leg: one, by: 'mediaLost' });
  phone.inDialog(call, 'BYE');
  await scripted.next('callerHungUp');
  over(scripted);
  t.same(house.log.takeErrors(), []);
});

void t.test('a phone behind a NAT is heard: its sound comes from where its signalling came', async (t) => {
  const doctor = await house.registered(t, '3101');
  const phone = await house.phone(t, '2101');
  const [near, far] = [await house.rtp(t), await house.rtp(t)];
  // What the phone says of itself is an address of its own network, where nobody of ours is.
  const behind = (sdp: string): string => sdp.replaceAll('127.0.0.1', '127.0.0.99');
  const { call } = await phone.invite('7011', { body: behind(near.sdp()) });
  const scripted = await house.nextCall();
  scripted.do({ type: 'answerCaller' });
  const ok = await phone.nextResponse(call, 'INVITE');
  phone.acknowledge(call, ok);
  await scripted.next('callerAnswered');
  near.talkTo(ok.body, 600);
  scripted.do(play(caller, 1));
  await near.hears(700);

  scripted.do(ring('3101', 'anchored'));
  const invite = await doctor.nextRequest('INVITE');
  doctor.respond(invite, 200, { body: behind(far.sdp()) });
  await scripted.next('legAnswered');
  far.talkTo(invite.body, 1000);
  scripted.do({ type: 'bridge', leg: one });
  await scripted.next('bridged');
  await near.hears(1000);
  await far.hears(600);
  over(scripted);
  t.same(house.log.takeErrors(), []);
});

void t.test('on hold nobody is asked', async (t) => {
  const { phone, call, rtp, scripted } = await answeredCaller(t);
  phone.inDialog(call, 'INVITE', ['Content-Type: application/sdp'], rtp.sdp('sendonly', 2));
  // The phone of a caller on hold sends nothing, and is not expected to.
  phone.acknowledge(call, await phone.nextResponse(call, 'INVITE'));
  phone.inDialog(call, 'INVITE', ['Content-Type: application/sdp'], rtp.sdp('inactive', 3));
  phone.acknowledge(call, await phone.nextResponse(call, 'INVITE'));
  rtp.fallSilent();
  await new Promise((resolve) => setTimeout(resolve, 2500));
  t.notOk(phone.inbox.some(({ method }) => method === 'OPTIONS'));
  over(scripted);
  t.same(house.log.takeErrors(), []);
});

for (const gone of ['caller', 'called'] as const) {
  void t.test(`phones that talk directly are asked too; the ${gone} vanishes`, { timeout: 40_000 }, async (t) => {
    const called = await house.registered(t, '3101');
    const { phone, scripted } = await direct(t, called);
    const [alive, lost] = gone === 'caller' ? [called, phone] : [phone, called];
    for (let round = 0; round < 2; round += 1) {
      alive.respond(await alive.nextRequest('OPTIONS'), 200);
      await lost.nextRequest('OPTIONS');
    }
    await until('the end', () => scripted.events.length > 0);
    t.match(await scripted.next('legEnded'), { leg: gone === 'caller' ? caller : one, by: 'mediaLost' });
    over(scripted);
    await alive.nextRequest('BYE');
    t.same(house.log.takeErrors(), []);
  });
}

void t.test('a direct call does not outlive the signalling server in the register', endsSignalling(), async (t) => {
  const called = await house.registered(t, '3101');
  const { phone, scripted } = await direct(t, called);
  await house.sipd.kill();
  await until('sipd to be missed', () => !house.isUp('signalling'));
  await house.sipd.restart();
  await scripted.next('signallingLost');
  scripted.do({ type: 'hangUpCaller', cause: 'wardlineRestarted' });
  over(scripted);
  t.match((await phone.nextRequest('BYE')).get('Reason'), 'restarted');
  await called.nextRequest('BYE');
  t.equal(house.telephony.health().calls, 0);
  t.same(house.log.takeErrors(), []);
});

void t.test(
  'after the death of the signalling server a phone that falls silent ends its call',
  endsSignalling(),
  async (t) => {
    const { rtp, scripted, phone } = await answeredCaller(t);
    await house.sipd.kill();
    await until('sipd to be missed', () => !house.isUp('signalling'));
    await house.sipd.restart();
    await until('sipd to be back', () => house.isUp('signalling'));
    t.same(scripted.events, [], 'as long as it talks it is left alone');
    rtp.fallSilent();
    await scripted.next('signallingLost');
    scripted.do({ type: 'hangUpCaller', cause: 'wardlineRestarted' });
    over(scripted);
    await phone.nextRequest('BYE');
    t.same(house.log.takeErrors(), []);
  },
);

void t.test('a call nobody had answered when the signalling server died does not stay', endsSignalling(), async (t) => {
  const called = await house.registered(t, '3101');
  const phone = await house.phone(t, '2101');
  await phone.invite('3101', { body: (await house.rtp(t)).sdp() });
  const scripted = await house.nextCall();
  scripted.do(ring('3101', 'direct'), { type: 'ringCaller' });
  called.respond(await called.nextRequest('INVITE'), 180);
  await scripted.next('legRinging');
  await house.sipd.kill();
  t.match(await scripted.next('legFailed'), { result: { kind: 'unreachable' } });
  scripted.do({ type: 'refuseCaller', cause: 'unreachable' });
  over(scripted);
  t.equal(house.telephony.health().calls, 0);
  await house.sipd.restart();
  await until('sipd to be back', () => house.isUp('signalling'));
  t.same(house.log.takeErrors(), []);
});

// The last of the file: afterwards the house has no way to its signalling server.
const ownersStay = () => notOnDrachtioServer('a dialog belongs to one control connection for good');
void t.test('the next app goes on with who talks, whatever they ask of each other', ownersStay(), async (t) => {
  const called = await house.registered(t, '3101');
  const [first, second, third] = [await direct(t, called), await direct(t, called), await direct(t, called)];
  house.relay.end();
  second.phone.inDialog(second.call, 'BYE');
  t.equal((await second.phone.nextResponse(second.call, 'BYE')).status, 200, 'answered by the signalling server');

  const { adopted } = await house.successor(t);
  const [one1, two2, three3] = adopted as [AdoptedHere, AdoptedHere, AdoptedHere];
  const of = ({ invite }: typeof first, method: string) =>
    called.next(method, (message) => message.method === method && message.get('Call-ID') === invite.get('Call-ID'));
  called.respond(await of(second, 'BYE'), 200);
  await until('what was missed', () => two2.events.length === 1);
  t.same(two2.events, [{ type: 'callerHungUp' }]);

  const rtp = await house.rtp(t);
  first.phone.inDialog(first.call, 'INVITE', ['Content-Type: application/sdp'], rtp.sdp('sendonly', 2));
  const hold = await of(first, 'INVITE');
  t.match(hold.body, 'a=sendonly', 'hold reaches the other phone');
  called.respond(hold, 200, { body: rtp.sdp('recvonly', 2) });
  const held = await first.phone.nextResponse(first.call, 'INVITE', 200);
  t.match(held.body, 'a=recvonly');
  first.phone.acknowledge(first.call, held);
  await of(first, 'ACK');
  const keys = called.dialogOf(first.invite);
  called.inDialog(keys, 'INFO', ['Content-Type: application/dtmf-relay'], 'Signal=5');
  first.phone.respond(await first.phone.nextRequest('INFO'), 200);
  t.equal((await called.nextResponse(keys, 'INFO')).status, 200);
  called.inDialog(keys, 'REFER', ['Refer-To: <sip:2102@wardline>']);
  t.equal((await called.nextResponse(keys, 'REFER')).status, 501);
  called.inDialog(keys, 'BYE');
  await first.phone.nextRequest('BYE');
  t.same(one1.events, [{ type: 'legEnded', leg: one, by: 'remote' }]);

  three3.hangUp('shuttingDown');
  t.match((await of(third, 'BYE')).get('Reason'), 'shutting down');
  t.match((await third.phone.nextRequest('BYE')).get('Reason'), 'shutting down');
  t.same(three3.events, [], 'who ended it is not told');
  t.notOk((await house.successor(t)).adopted.length, 'what is over is not gone on with');
});
