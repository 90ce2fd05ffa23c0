import t from 'tap';
import type { LegId } from '../../src/core/call/index.ts';
import type { TelephonyEffect } from '../../src/engine/ports.ts';
import { Baresip } from '../support/baresip.ts';
import { Authority } from '../support/certificates.ts';
import { drachtioServer } from '../support/drachtio-server.ts';
import { freeswitch } from '../support/freeswitch.ts';
import { scratch, until } from '../support/processes.ts';
import { heardFor } from '../support/sound.ts';
import { House, type ScriptedCall } from '../support/telephony-house.ts';
import { WebPhone } from '../support/web-phone.ts';

// Chromium with JsSIP, as people use it: SIP by WSS, ICE, DTLS-SRTP; and a desk phone at the other end.

if (drachtioServer !== undefined || freeswitch !== undefined) {
  t.plan(0, 'its phone comes by WSS to our own daemons');
  process.exit();
}

const WEB_HZ = 440;
const DESK_HZ = 660;
const caller = 'caller' as LegId;
const one = '1' as LegId;
const authority = new Authority(scratch(t, 'authority'));
const house = await House.open(t, { tls: authority.issue('pbx') });
const web = await WebPhone.start(t, WEB_HZ);
await web.register(`127.0.0.1:${house.sip.wss}`, '2101', 'secret-2101');
const server = `127.0.0.1:${house.sip.udp}`;
const desk = await Baresip.start(
  t,
  [{ user: '3101', password: 'secret-3101', server, register: true, answer: 'auto' }],
  DESK_HZ,
);
await until('both phones to be registered', () => house.telephony.bindings.length === 2);

const ring = (extension: string): TelephonyEffect => ({
  type: 'ringLeg',
  leg: one,
  target: { kind: 'extension', extension },
  media: 'anchored',
  offeredAs: { displayName: 'Ward 4B', number: '2101', urgency: null },
});

function deskHears(before: readonly number[]): Promise<unknown> {
  return until('the desk phone to hear the browser', () =>
    desk.heardSince(before).some((sound) => heardFor(sound, WEB_HZ) > 0.5),
  );
}

async function bothHear(before = desk.heardSoFar()): Promise<void> {
  await Promise.all([web.hears(DESK_HZ), deskHears(before)]);
}

/** Until nobody talks any more. */
async function over(call: ScriptedCall): Promise<void> {
  call.do({ type: 'callOver', cause: 'callerHungUp' });
  await until('the desk phone to be free', () => desk.openCalls().length === 0);
}

t.test('a browser calls: a desk phone and it hear each other, its keys arrive, and it hangs up', async (t) => {
  await web.do('dial', '7011');
  const call = await house.nextCall();
  call.do({ type: 'answerCaller' });
  t.match(await call.next('callerAnswered'), { media: { path: 'anchored', cipher: 'dtls' } });
  await web.says('confirmed');
  call.do({ type: 'gather', leg: caller, token: 1, prompts: [], maxDigits: 2, waitMs: 60_000, isAgain: false });
  await web.press('5');
  await web.press('#');
  t.match(await call.next('digitsGathered'), { token: 1, digits: '5' });
  call.do(ring('3101'));
  t.match(await call.next('legAnswered'), { media: { path: 'anchored', cipher: 'none' } });
  call.do({ type: 'bridge', leg: one });
  await call.next('bridged');
  await bothHear();
  const state = await web.state();
  t.match(state, {
    ice: { nominated: true, state: 'succeeded' },
    dtls: { dtlsState: 'connected', srtpCipher: 'AEAD_AES_128_GCM' },
    codec: 'audio/opus',
  });
  await web.do('hangUp');
  await call.next('callerHungUp');
  await over(call);
  t.same(house.log.takeErrors(), []);
});

t.test('a browser is called: it answers, holds, comes back, and the desk phone hangs up', async (t) => {
  await desk.nextFile();
  await desk.dial('2101');
  const call = await house.nextCall();
  call.do({ type: 'answerCaller' });
  await call.next('callerAnswered');
  call.do(ring('2101'));
  await web.says('rung');
  await web.do('answer');
  t.match(await call.next('legAnswered'), { media: { path: 'anchored', cipher: 'dtls' } });
  call.do({ type: 'bridge', leg: one });
  await call.next('bridged');
  await bothHear();
  await web.do('hold');
  await web.says('hold');
  await until('silence', async () => (await web.loudestHz()) === 0);
  await web.do('unhold');
  await web.says('unhold');
  await bothHear();
  await desk.hangUp();
  await call.next('callerHungUp');
  call.do({ type: 'callOver', cause: 'callerHungUp' });
  await web.says('ended remote');
  t.same(house.log.takeErrors(), []);
});
