import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t from 'tap';
import {
  type Flow,
  Headers,
  parseMessage,
  silentLogger,
  type SipRequest,
  type SipResponse,
} from '../../src/sip/index.ts';
import { SipdServer, sipdOptionsSchema } from '../../src/sipd/index.ts';
import { Admission } from '../../src/sipd/admission/admission.ts';
import { sipdLimits } from '../../src/sipd/limits.ts';
import { until } from '../support/processes.ts';
import { openApp, secret } from '../support/sipd-and-app.ts';
import { aMessage } from '../support/torture-messages.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Wire } from '../support/wire.ts';

const stranger = '192.0.2.66';
const phone = '192.0.2.10';
const invite = (to: string, more: Record<string, string> = {}, body = '') =>
  aMessage({ start: `INVITE sip:${to}@pbx.example SIP/2.0`, CSeq: '7 INVITE', ...more }, body);

function anAdmission(limits: object = {}, dialogs = () => 0) {
  const clock = new VirtualClock(1_000_000);
  const admission = new Admission({ clock, limits: sipdLimits.parse(limits), dialogs });
  const floods = (host: string, count: number, text = aMessage()) => {
    let admitted = 0;
    for (let i = 0; i < count; i++) if (admission.admits(Buffer.from(text), host)) admitted++;
    return admitted;
  };
  return { clock, admission, floods };
}
function request(text: string): SipRequest {
  const parsed = parseMessage(Buffer.from(text));
  if (parsed.kind !== 'message' || parsed.message.kind !== 'request') throw new Error('no request');
  return parsed.message;
}
const from = (host: string) => ({ protocol: 'udp', remote: { host, port: 5060 } }) as Flow;
const answer = (status: number, headers = new Headers()): SipResponse => {
  return { kind: 'response', status, reason: '', headers, body: Buffer.alloc(0) };
};
const none = { ofSource: 0, total: 0 };

void t.test('a flood is not read; a registered phone may say more; this machine and trunks may say all', (t) => {
  const { clock, admission, floods } = anAdmission({
    strangerPerSecond: 10,
    strangerBurst: 20,
    knownPerSecond: 100,
    knownBurst: 200,
    trusted: ['127.0.0.1', '198.51.100.0/28'],
  });
  t.equal(floods(stranger, 1_000), 20);
  clock.advance(1_000);
  t.equal(floods(stranger, 1_000), 10);
  t.equal(admission.gate.counters.throttled, 1_970);
  t.equal(floods('192.0.2.67', 5), 5, 'others are not touched');
  const register = request(aMessage({ start: 'REGISTER sip:pbx.example SIP/2.0', CSeq: '7 REGISTER' }));
  admission.answered(register, answer(200, new Headers().add('Contact', '<sip:a@b>;expires=60')), from(phone));
  t.equal(floods(phone, 1_000), 200);
  t.equal(floods('198.51.100.3', 1_000), 1_000);
  t.equal(floods('198.51.100.16', 1_000), 20, 'outside of the range');
  admission.close();
  t.end();
});

void t.test('a call to a reserved number gets through a flood from the same address', (t) => {
  const { admission, floods } = anAdmission({
    strangerBurst: 20,
    reservedNumbers: ['911', '7*11'],
    reservedPerSecond: 5,
  });
  t.equal(floods(phone, 50), 20);
  t.equal(floods(phone, 1, invite('1911')), 0);
  t.equal(floods(phone, 1, invite('911')), 1);
  t.equal(floods(phone, 1, invite('7*11')), 1);
  t.equal(floods(phone, 1, invite('911;phone-context=x')), 1);
  t.equal(floods(phone, 1, invite('911').replace(/^INVITE \S+/, 'INVITE tel:9-1-1;phone-context=+1')), 1);
  t.equal(floods(phone, 1, invite('1911').replace(/^INVITE \S+/, 'INVITE tel:1911')), 0);
  t.equal(floods(phone, 100, invite('911')), 6, 'not without end');
  admission.close();
  t.end();
});

void t.test(
  'whoever is refused again and again gets silence; longer each time; never where phones have registered',
  (t) => {
    const { clock, admission, floods } = anAdmission({ faultsUntilBan: 10, banMs: 1_000 });
    const wrong = request(invite('900', { Authorization: 'Digest x' }));
    const guess = (host: string, times: number, how = answer(401)) => {
      for (let i = 0; i < times; i++) admission.answered(wrong, how, from(host));
    };
    guess(stranger, 9);
    t.equal(floods(stranger, 1), 1);
    guess(stranger, 1);
    t.equal(floods(stranger, 1), 0);
    clock.advance(1_001);
    t.equal(floods(stranger, 1), 1);
    guess(stranger, 10);
    clock.advance(1_001);
    t.equal(floods(stranger, 1), 0, 'two seconds now');
    t.same([admission.gate.counters.bans, admission.gate.bannedNow(clock.now())], [2, 1]);

    const asked = request(invite('900'));
    for (let i = 0; i < 100; i++) admission.answered(asked, answer(401), from('192.0.2.70'));
    t.equal(floods('192.0.2.70', 1), 1, 'to be asked for a password is no fault');
    guess('192.0.2.71', 100, answer(401, new Headers().add('WWW-Authenticate', 'Digest nonce="x", stale=true')));
    t.equal(floods('192.0.2.71', 1), 1, 'nor is an old nonce');

    const register = request(
      aMessage({ start: 'REGISTER sip:pbx.example SIP/2.0', CSeq: '7 REGISTER', Expires: '60' }),
    );
    admission.answered(register, answer(200), from(phone));
    guess(phone, 1_000);
    t.equal(floods(phone, 1), 1);
    clock.advance(61_000);
    guess(phone, 1_000);
    t.equal(floods(phone, 1), 0, 'its registration is over');
    admission.close();
    t.end();
  },
);

void t.test('forged sources do not fill the memory, nor push out who is banned', (t) => {
  const { admission, floods, clock } = anAdmission({ faultsUntilBan: 1, banMs: 600_000 });
  admission.malformed(from(stranger));
  for (let i = 0; i < 30_000; i++) floods(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 1);
  t.equal(floods(stranger, 1), 0);
  t.equal(admission.gate.bannedNow(clock.now()), 1);
  t.equal(admission.gate.size, 20_000);
  admission.close();
  t.end();
});

void t.test(
  'what may not open a transaction: scanners, too many half-open calls, too many dialogs, too much to do',
  (t) => {
    let dialogs = 0;
    const limits = { halfOpenTotal: 10, halfOpenPerSource: 3, dialogs: 5, shedWhenLateMs: 50, retryAfterSeconds: 7 };
    const { clock, admission } = anAdmission(limits, () => dialogs);
    const screen = (text: string, halfOpen = none, host = phone) => {
      const screening = admission.screen(request(text), from(host), halfOpen);
      return typeof screening === 'object' ? screening.status : screening;
    };
    t.equal(screen(invite('2101')), undefined);
    t.equal(screen(invite('2101', { 'User-Agent': 'Friendly-Scanner' })), 'ignore');
    t.equal(screen(invite('2101', { To: '"sipvicious"<sip:100@1.1.1.1>' })), 'ignore');
    t.equal(screen(invite('2101'), { ofSource: 3, total: 3 }), 503);
    t.equal(screen(invite('2101'), { ofSource: 3, total: 3 }, '127.0.0.1'), undefined, 'this machine');
    t.equal(screen(invite('2101'), { ofSource: 0, total: 10 }, '127.0.0.1'), 503);
    t.equal(screen(invite('911'), { ofSource: 3, total: 10 }), undefined, 'a reserved number');
    dialogs = 5;
    t.equal(screen(invite('2101')), 503);
    t.equal(screen(aMessage()), undefined, 'is no call');
    const busy = admission.screen(request(invite('2101')), from(phone), none);
    t.equal(typeof busy === 'object' && busy.headers?.get('Retry-After'), '7');
    dialogs = 0;
    clock.late(5_000, 1);
    clock.late(0, 1);
    t.equal(screen(invite('2101')), undefined, 'a single long pause');
    clock.late(60, 40);
    t.equal(admission.lateMs, 60);
    t.equal(screen(invite('2101')), 503);
    t.equal(screen(invite('911')), undefined);
    t.equal(screen(aMessage()), undefined);
    clock.late(200, 40);
    t.equal(screen(aMessage()), 503);
    clock.advance(5_000);
    t.equal(screen(invite('2101')), undefined, 'it is over');
    t.match(admission.counters, { scannersIgnored: 2, refusedHalfOpen: 2, refusedDialogs: 2, shedForLoad: 2 });
    admission.close();
    t.equal(clock.pending, 0);
    t.end();
  },
);

void t.test('a body that nobody reads is 415, an answer that is not read 406', (t) => {
  const { admission } = anAdmission();
  const screen = (more: Record<string, string>, body = '') => {
    const screening = admission.screen(request(invite('2101', more, body)), from(phone), none);
    return typeof screening === 'object' ? [screening.status, screening.headers?.get('Accept')] : screening;
  };
  t.same(screen({ 'Content-Type': 'application/x' }, 'x'), [415, 'application/sdp']);
  t.equal(screen({ 'Content-Type': 'application/SDP ; charset=x' }, 'v=0'), undefined);
  t.equal(screen({ 'Content-Type': 'multipart/mixed;boundary=a' }, 'x'), undefined);
  t.equal(screen({ 'Content-Type': 'application/x', 'Content-Disposition': 'x;handling=optional' }, 'x'), undefined);
  t.equal(screen({ 'Content-Type': 'application/x' }), undefined, 'without a body');
  t.same(screen({ Accept: 'text/plain' }), [406, undefined]);
  t.same(screen({ Accept: '' }), [406, undefined]);
  for (const accept of ['text/plain, application/sdp;level=1', 'application/*', '*/*']) {
    t.equal(screen({ Accept: accept }), undefined);
  }
  admission.close();
  t.end();
});

void t.test('sipd: not a byte for scanners, 503 without memory, and everything can be counted', async (t) => {
  const wire = new Wire();
  const options = sipdOptionsSchema.parse({
    sip: [{ protocol: 'udp', host: '0.0.0.0', port: 0 }],
    control: { port: 0 },
    metrics: { port: 0 },
    secret,
    limits: { halfOpenPerSource: 2, faultsUntilBan: 12 },
  });
  const sipd = await SipdServer.open(options, silentLogger, wire.network);
  const app = await openApp(sipd, 'pbx', (srf) => {
    (srf as unknown as { use(method: string, handle: () => void): void }).use('invite', () => {});
  });
  t.teardown(async () => {
    app.disconnect();
    await sipd.close();
  });
  const says = (text: string, host = stranger) => wire.arrives(Buffer.from(text), { host, port: 5060 });
  const call = (i: number, more = {}) => {
    const mark = { Via: `SIP/2.0/UDP ${phone};rport;branch=z9hG4bKh${i}`, 'Call-ID': `h${i}` };
    return invite('2101', { ...mark, ...more });
  };
  says(call(0, { 'User-Agent': 'friendly-scanner' }));
  t.equal(wire.sent.length, 0);
  for (let i = 1; i <= 4; i++) says(call(i), phone);
  const statuses = () => wire.sent.map(({ bytes }) => bytes.toString('latin1', 8, 11));
  t.same(statuses(), ['100', '100', '503', '503']);
  t.match(wire.sent[2]?.bytes.toString(), /^Retry-After: 5\r$/m);
  t.equal(sipd.metrics['servers'], 2, 'two transactions and no more');
  says(call(1), phone);
  t.equal(statuses()[4], '100', 'what comes again is none too many');
  for (let i = 0; i < 3; i++) says('INVITE nonsense SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n\r\n');
  const before = wire.sent.length;
  says(aMessage());
  t.equal(wire.sent.length, before, 'banned by now');
  const at = sipd.addresses.metrics!;
  const text = await (await fetch(`http://${at.host}:${at.port}/metrics`)).text();
  const lines = [
    'sipd_scanners_ignored_total 1',
    'sipd_refused_half_open_total 2',
    'sipd_bans_total 1',
    'sipd_banned_now 1',
    'sipd_half_open 2',
    'sipd_kernel_drops_total 0',
    'sipd_messages_received_total{what="INVITE",method="INVITE"} 6',
    'sipd_messages_sent_total{what="503",method="INVITE"} 2',
    'sipd_transactions{side="server",kind="invite",state="proceeding"} 2',
    'sipd_parse_errors_total{what="answered"} 3',
    'sipd_parse_errors_total{what="unanswered"} 0',
    'sipd_parse_errors_total{what="framing"} 0',
    'sipd_kernel_queue_bytes 0',
    'sipd_dialogs 0',
    'sipd_pending 2',
    'sipd_held 0',
  ];
  t.match(text, /^sipd_ignored_total [1-9]/m);
  for (const line of lines) t.ok(text.split('\n').includes(line), line);
});

void t.test('datagrams that the kernel had to throw away are counted', async (t) => {
  const { KernelQueue } = await import('../../src/sipd/kernel-queue.ts');
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_096 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const { port } = socket.address();
  const [queue, others] = [new KernelQueue(new Set([port])), new KernelQueue(new Set([1]))];
  await queue.look();
  t.same(queue.last, { drops: 0, bytes: 0 });
  const sender = createSocket('udp4');
  t.teardown(() => sender.close());
  // All of it within one turn: nobody reads in between.
  let sent = 0;
  for (let i = 0; i < 200; i++) sender.send(Buffer.alloc(4_000), port, '127.0.0.1', () => (sent += 1));
  await until('the kernel to throw some away', async () => {
    await queue.look();
    return queue.last.drops > 0 || sent > 100_000;
  });
  t.ok(queue.last.drops > 0);
  await others.look();
  t.same(others.last, { drops: 0, bytes: 0 });
});
