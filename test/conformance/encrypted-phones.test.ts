import t from 'tap';
import type { LegId } from '../../src/core/call/index.ts';
import type { TelephonyEffect } from '../../src/engine/ports.ts';
import { type Account, Baresip } from '../support/baresip.ts';
import { Authority } from '../support/certificates.ts';
import { drachtioServer } from '../support/drachtio-server.ts';
import { freeswitch } from '../support/freeswitch.ts';
import { scratch, until } from '../support/processes.ts';
import { heardFor } from '../support/sound.ts';
import { House, type ScriptedCall } from '../support/telephony-house.ts';

// Real phones on TLS: what they say is encrypted from end to end of each leg, or the call is refused.

if (drachtioServer !== undefined || freeswitch !== undefined) {
  t.plan(0, 'its phones come by TLS to our own daemons');
  process.exit();
}

const one = '1' as LegId;
const authority = new Authority(scratch(t, 'authority'));
const { certificate, key } = authority.issue('pbx');
const house = await House.open(t, { tls: { certificate, key } });
const password = (user: string): string => `secret-${user}`;
const account = (user: string, transport: 'tls' | 'udp', isEncrypting: boolean): Account => ({
  user,
  password: password(user),
  server: `127.0.0.1:${house.sip[transport]}`,
  transport,
  register: true,
  ...(isEncrypting ? { encryption: 'srtp-mand' } : {}),
});
const trust = [`sip_cafile ${authority.certificate}`];
const callers = await Baresip.start(
  t,
  [account('2101', 'tls', true), account('3102', 'tls', false)],
  440,
  undefined,
  trust,
);
const called = await Baresip.start(
  t,
  [
    { ...account('2102', 'tls', true), answer: 'auto' },
    { ...account('3101', 'udp', false), answer: 'auto' },
  ],
  660,
  undefined,
  trust,
);
await until('all phones to be registered', () => house.telephony.bindings.length === 4);

const ring = (extension: string, media: 'anchored' | 'direct'): TelephonyEffect => ({
  type: 'ringLeg',
  leg: one,
  target: { kind: 'extension', extension },
  media,
  offeredAs: { displayName: 'Ward 4B', number: '2101', urgency: null },
});

async function dials(number: string, as = '2101'): Promise<ScriptedCall> {
  await callers.nextFile();
  await callers.as(as);
  await callers.dial(number);
  return house.nextCall();
}

const bothHear = (before: readonly (readonly number[])[]) =>
  until('both phones to hear each other', () =>
    [
      { phone: callers, before: before[0]!, toneHz: 660 },
      { phone: called, before: before[1]!, toneHz: 440 },
    ].every(({ phone, before, toneHz }) => phone.heardSince(before).some((sound) => heardFor(sound, toneHz) > 0.5)),
  );

const heardBefore = () => [callers.heardSoFar(), called.heardSoFar()];

async function hangUp(call: ScriptedCall): Promise<void> {
  call.do({ type: 'callOver', cause: 'callerHungUp' });
  await until('the phones to be free', () => callers.openCalls().length + called.openCalls().length === 0);
}

for (const to of [
  { extension: '2102', cipher: 'sdes', is: 'on TLS' },
  { extension: '3101', cipher: 'none', is: 'on UDP' },
] as const) {
  t.test(`a phone on TLS and one ${to.is} hear each other through the media server`, async (t) => {
    const before = heardBefore();
    const call = await dials('7011');
    call.do({ type: 'answerCaller' });
    t.match(await call.next('callerAnswered'), { media: { path: 'anchored', cipher: 'sdes' } });
    call.do(ring(to.extension, 'anchored'));
    t.match(await call.next('legAnswered'), { media: { path: 'anchored', cipher: to.cipher } });
    call.do({ type: 'bridge', leg: one });
    await call.next('bridged');
    await bothHear(before);
    await hangUp(call);
  });
}

t.test('two phones on TLS talk directly, and encrypted', async (t) => {
  const before = heardBefore();
  const call = await dials('2102');
  call.do(ring('2102', 'direct'));
  t.match(await call.next('legAnswered'), { media: { path: 'direct', cipher: 'sdes' } });
  call.do({ type: 'connectDirect', leg: one });
  await call.next('bridged');
  await bothHear(before);
  await hangUp(call);
});

t.test('a direct call to a phone that protects its sound otherwise goes through the media server', async (t) => {
  const before = heardBefore();
  const call = await dials('3101');
  call.do(ring('3101', 'direct'));
  t.match(await call.next('legAnswered'), { media: { path: 'anchored', cipher: 'none' } });
  call.do({ type: 'connectDirect', leg: one });
  await call.next('bridged');
  await bothHear(before);
  await hangUp(call);
});

t.test('a phone with DTLS and ICE and one on UDP hear each other through the media server', async (t) => {
  const byIce = { ...account('2102', 'tls', false), encryption: 'dtls_srtp', isByIce: true } as const;
  const more = [...trust, 'module dtls_srtp.so', 'module ice.so', 'rtcp_mux yes'];
  const web = await Baresip.start(t, [byIce], 880, undefined, more);
  await until('it to be registered', () => house.telephony.bindings.length === 5);
  const before = [web.heardSoFar(), called.heardSoFar()] as const;
  await web.dial('7011');
  const call = await house.nextCall();
  call.do({ type: 'answerCaller' });
  t.match(await call.next('callerAnswered'), { media: { path: 'anchored', cipher: 'dtls' } });
  call.do(ring('3101', 'anchored'));
  t.match(await call.next('legAnswered'), { media: { path: 'anchored', cipher: 'none' } });
  call.do({ type: 'bridge', leg: one });
  await call.next('bridged');
  await until('both phones to hear each other', () =>
    [
      { phone: web, before: before[0], toneHz: 660 },
      { phone: called, before: before[1], toneHz: 880 },
    ].every(({ phone, before, toneHz }) => phone.heardSince(before).some((sound) => heardFor(sound, toneHz) > 0.5)),
  );
  t.match(web.log, /ice: audio: connectivity check is complete/);
  await hangUp(call);
});

t.test('a phone on TLS that does not encrypt may neither call nor be called, and is told why', async (t) => {
  await callers.as('3102');
  const mark = callers.mark();
  await callers.dial('7011');
  const closed = await callers.event('CALL_CLOSED', mark);
  t.match(closed.param, /488 SRTP required/);

  const call = await dials('7011');
  call.do(ring('3102', 'anchored'));
  const { result } = await call.next('legFailed');
  t.match(result, { kind: 'mediaFailed', why: /no SRTP.*enable it at the phone.*\(488\)/ });
  await hangUp(call);
  t.same(house.log.takeErrors(), []);
});
