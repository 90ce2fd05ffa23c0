import t from 'tap';
import { askControlPort } from '../../src/cli/ask-control-port.ts';
import { drawLadder } from '../../src/cli/draw-ladder.ts';
import { Headers, parseMessage, type Vantage } from '../../src/sip/index.ts';
import { Ladder } from '../../src/sipd/ladder/ladder.ts';
import { maskedText } from '../../src/sipd/ladder/masked.ts';
import { type Kept, MessageRing } from '../../src/sipd/ladder/message-ring.ts';
import type { LadderAnswer, Rung } from '../../src/sipd/options.ts';
import { until } from '../support/processes.ts';
import { openApp, openSipd, secret, sipUri } from '../support/sipd-and-app.ts';
import { sdp, SipPhone } from '../support/sip-phone.ts';
import { aMessage } from '../support/torture-messages.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const at = (port: number, protocol: 'udp' | 'tls' = 'udp'): Vantage => ({
  protocol,
  local: { host: '127.0.0.1', port: 5060 },
  remote: { host: '192.0.2.10', port },
});

void t.test('the ring holds the newest that its memory can, whole and in order', (t) => {
  const ring = new MessageRing(4_096);
  const all: string[] = [];
  // Sizes without a common measure, so that records end at every place there is.
  for (let i = 0; i < 3_000; i++) {
    const text = `${i} `.padEnd(20 + ((i * 37) % 400), 'x');
    all.push(text);
    ring.put({ atMs: i, isSent: i % 2 === 0, protocol: 'tls', remote: `h:${i}`, bytes: Buffer.from(text) });
    const kept = [...ring.all()];
    const newest = all.slice(-kept.length);
    if (kept.length !== ring.count || kept.some(({ bytes }, n) => bytes.toString() !== newest[n])) {
      t.fail(`after ${i}: ${kept.length} of ${ring.count}`);
      break;
    }
    const sizes = newest.reduce((sum, one) => sum + one.length + 30, 0);
    if (i > 50 && sizes < 2_048) t.fail(`after ${i} only ${sizes} bytes are in use`);
  }
  const { bytes: _, ...last } = [...ring.all()].at(-1) as Kept;
  t.same(last, { atMs: 2_999, isSent: false, protocol: 'tls', remote: 'h:2999' });
  ring.put({ atMs: 3_000, isSent: true, protocol: 'udp', remote: 'h:1', bytes: Buffer.alloc(2_000) });
  t.equal([...ring.all()].at(-1)?.atMs, 2_999, 'what would push out everything is not kept');
  ring.forget(2_999);
  t.same(
    [...ring.all()].map(({ atMs }) => atMs),
    [2_999],
  );
  ring.forget(Number.POSITIVE_INFINITY);
  ring.put({ atMs: 3_001, isSent: true, protocol: 'udp', remote: 'h:1', bytes: Buffer.from('again') });
  t.same(
    [...ring.all()].map(({ bytes }) => bytes.toString()),
    ['again'],
  );
  t.end();
});

const secrets = [
  'Miriam Feldstein',
  'Feldstein',
  'mfeldstein',
  '20255',
  '\x1B',
  '+12025550147',
  '2025550147',
  '025550147',
  'cafe1234',
  'nonce-77',
  'WnD7c1',
  'sesame',
  'ice-secret',
  'penicillin',
  '4711-patient',
  'lab-result',
  'hunter2',
  'eyJhbGciOi',
];
const telling = {
  start: 'INVITE sip:+12025550147;ext=Feldstein:hunter2@192.0.2.9;x=Feldstein SIP/2.0',
  CSeq: '7 INVITE',
  From: '"Miriam Feldstein" <sip:+12025550147@gw.example;user=phone>;tag=a1;x-name=Feldstein',
  To: 'Feldstein <sip:mfeldstein@example.org>',
  Contact: '<sip:mfeldstein@192.0.2.1:5062;transport=tcp;x=Feldstein>;expires=60, <tel:+12025550147>',
  'P-Asserted-Identity': '"Feldstein" <sip:+12025550147@gw.example>, <tel:+12025550147>',
  'Remote-Party-ID': '"Miriam Feldstein" <sip:2025550147@gw.example>;party=calling',
  Diversion: '<sip:+12025550147@gw.example>;reason="Feldstein"',
  'History-Info': '<sip:+12025550147@gw.example?Reason=lab-result>;index=1',
  'Refer-To': '<sip:2102@pbx.example?Replaces=4711-patient>',
  Authorization: 'Digest username="mfeldstein", nonce="nonce-77", response="cafe1234"',
  'Proxy-Authorization': 'Digest username="mfeldstein", response="cafe1234"',
  Identity: 'eyJhbGciOi;info=<https://cert.example>',
  Subject: 'lab-result of Miriam Feldstein',
  'X-Patient': '4711-patient',
  'Call-Info': '<https://photos.example/Feldstein>',
  Reason: 'Q.850;cause=17;text="Feldstein"',
  Warning: '399 gw "penicillin for Feldstein"',
  'User-Agent': 'Desk phone 9\x1B[2J',
  Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa.1;rport;x-name=Feldstein',
  'Retry-After': '5 (penicillin for Feldstein);duration=9',
  Event: 'dialog;id=7;x-name=Feldstein',
  'Content-Encoding': 'identity;name="Feldstein.pdf"',
  'Reply-To': '<sip:2025550147>, <tel:20255-50147>, <tel:+1(202)555-0147>',
  'Content-Type': 'application/sdp',
};
const telltale = [
  'v=0',
  'o=Miriam Feldstein 1 1 IN IP4 192.0.2.1',
  's=lab-result',
  'i=penicillin',
  'e=mfeldstein@example.org',
  'p=+12025550147',
  'k=clear:sesame',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 4000 RTP/SAVP 0',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WnD7c1',
  'a=ice-pwd:ice-secret',
  'a=rtpmap:0 PCMU/8000',
  'a=x-note:4711-patient',
  'Feldstein',
].join('\r\n');

function masked(text: string): string {
  const parsed = parseMessage(Buffer.from(text));
  if (parsed.kind !== 'message') throw new Error(`${parsed.kind}: ${JSON.stringify(parsed)}`);
  return maskedText(parsed.message);
}

void t.test('a ladder names no patient and opens no door', (t) => {
  const shown = masked(aMessage(telling, telltale));
  for (const word of secrets) t.notMatch(shown, word);
  for (const kept of [
    'INVITE sip:xxx47@192.0.2.9 SIP/2.0',
    'From: "xxx" <sip:xxx47@gw.example>;tag=a1',
    'Contact: <sip:xxx@192.0.2.1:5062;transport=tcp>;expires=60, <tel:xxx47>',
    'Refer-To: <sip:2102@pbx.example>',
    'Reason: Q.850;cause=17',
    'Authorization: xxx',
    'X-Patient: xxx',
    'User-Agent: Desk phone 9?[2J',
    'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa.1;rport',
    'Retry-After: 5',
    'Event: dialog;id=7',
    'Reply-To: <sip:xxx>, <tel:xxx47>, <tel:xxx47>',
    'o=- 1 1 IN IP4 192.0.2.1',
    'a=crypto:xxx',
    'a=rtpmap:0 PCMU/8000',
    'm=audio 4000 RTP/SAVP 0',
  ]) {
    t.ok(shown.split('\r\n').includes(kept), kept);
  }
  t.equal(parseMessage(Buffer.from(shown)).kind, 'message', 'and it is SIP all the same');
  const words = masked(aMessage({ 'Content-Type': 'text/plain' }, 'penicillin for Feldstein'));
  t.match(words, '(24 bytes of text/plain, not shown)');
  const answer = aMessage({ start: 'SIP/2.0 486 Feldstein sleeps', CSeq: '1 INVITE' });
  t.match(masked(answer), /^SIP\/2\.0 486 Busy Here\r\n/);
  t.end();
});

void t.test('what is kept belongs to calls, and only for so long', (t) => {
  const clock = new VirtualClock(0);
  const ladder = new Ladder(clock, { sizeBytes: 100_000, keepMs: 600_000 });
  const see = (changes: Record<string, string>, from = at(5_060)) =>
    ladder.see(false, Buffer.from(aMessage(changes)), from);
  const tell = (callIds: readonly string[], prefix?: string) => ladder.tell({ callIds, prefix });
  see({ start: 'INVITE sip:2102@pbx.example SIP/2.0', CSeq: '1 INVITE', 'Call-ID': 'a@b' });
  see({ start: 'INVITE sip:2102@pbx.example SIP/2.0', CSeq: '1 INVITE', 'Call-ID': 'AAAA-BBBB.77' }, at(5_062, 'tls'));
  see({ start: 'INVITE sip:2102@pbx.example SIP/2.0', CSeq: '1 INVITE', 'Call-ID': 'AAAA-BBBBB' });
  // Its Call-ID stands in another call's message.
  see({ start: 'INVITE sip:2102@pbx.example SIP/2.0', CSeq: '1 INVITE', 'Call-ID': 'z', Replaces: 'a@b;from-tag=1' });
  see({ start: 'REGISTER sip:pbx.example SIP/2.0', CSeq: '1 REGISTER', 'Call-ID': 'a@b' });
  see({ start: 'SIP/2.0 200 OK', CSeq: '1 OPTIONS', 'Call-ID': 'a@b' });
  t.same(
    tell(['a@b'], 'AAAA-BBBB').rungs.map(({ callId, protocol, remote }) => [callId, protocol, remote]),
    [
      ['a@b', 'udp', '192.0.2.10:5060'],
      ['AAAA-BBBB.77', 'tls', '192.0.2.10:5062'],
    ],
  );
  clock.advance(599_000);
  t.equal(tell(['a@b']).rungs.length, 1);
  t.equal(tell(['a@b']).sinceMs, 0);
  clock.advance(2_000);
  t.same(tell(['a@b']), { rungs: [], isCut: false, sinceMs: null, keepMs: 600_000 });
  ladder.close();
  t.end();
});

void t.test('what somebody calls with does not make the answer too long to be sent', (t) => {
  const ladder = new Ladder(new VirtualClock(0), { sizeBytes: 2 ** 24, keepMs: 600_000 });
  const long = aMessage({ start: 'INFO sip:x SIP/2.0', 'Content-Type': 'application/sdp' }, 'a=\r\n'.repeat(15_000));
  for (let i = 0; i < 80; i++) ladder.see(false, Buffer.from(long), at(5_060));
  const { rungs, isCut } = ladder.tell({ callIds: ['call1@example.org'], prefix: undefined });
  t.ok(isCut);
  t.ok(rungs.length > 40 && rungs.length < 70, String(rungs.length));
  ladder.close();
  t.end();
});

void t.test('drawn: both legs and every fork, in eighty columns', async (t) => {
  const sipd = await openSipd({ t1Ms: 1_000 });
  const phones = [await SipPhone.open('udp'), await SipPhone.open('tcp'), await SipPhone.open('udp')] as const;
  const [alice, busy, bob] = phones;
  t.teardown(async () => {
    await sipd.close();
    for (const phone of phones) phone.close();
  });
  busy.onRequest = (incoming) => void incoming.respond(486);
  const sound = { body: Buffer.from(sdp(5_000)), headers: new Headers().add('Content-Type', 'application/sdp') };
  bob.onRequest = (incoming) => void incoming.respond(200, incoming.request.method === 'INVITE' ? sound : {});
  const app = await openApp(sipd, 'ladder', (srf) => {
    srf.invite((req, res) => {
      const forks = [busy.uri('2102'), bob.uri('+12025550147')];
      // As the app names its legs.
      void (async () => {
        for (const [i, fork] of forks.entries()) {
          const headers = { 'call-id': `AAAA-BBBB-CCCC.${i}`, From: '"Miriam Feldstein" <sip:+12025550147@pbx>' };
          try {
            const uac = await srf.createUAC(fork, { headers, localSdp: req.body });
            const uas = await srf.createUAS(req, res, { localSdp: uac.remote.sdp });
            uas.on('destroy', () => uac.destroy());
            return;
          } catch {
            // The next one.
          }
        }
      })();
    });
  });
  t.teardown(() => app.disconnect());
  const call = alice.send('INVITE', sipUri(sipd, '2102'), {
    body: sdp(4_000),
    headers: new Headers().add('Content-Type', 'application/sdp').add('Call-ID', 'alice-1'),
  });
  await call.final();
  call.dialog?.bye();
  await bob.got('BYE');
  const ask = async (question: string, withSecret = secret) => {
    const to = { ...sipd.addresses.control, tls: null };
    return askControlPort(to, withSecret, { asks: [question], withinMs: 60_000, maxBytes: 1_000_000 });
  };
  const told = await until('the whole call', async () => {
    const answer = await ask('ladder\r\n{"callIds":["alice-1"],"prefix":"AAAA-BBBB-CCCC"}');
    if (answer.kind === 'silent') throw new Error(answer.why);
    const { rungs } = JSON.parse(answer.replies[1]?.body ?? '') as LadderAnswer;
    return rungs.filter(({ method, status }) => method === 'BYE' && status === 200).length === 2 && rungs;
  });
  const place = (phone: SipPhone) => `${phone === busy ? 'tcp' : 'udp'} 127.0.0.1:${phone.port}`;
  const { parties, lines, labels } = drawLadder(told, (of) => (of === place(busy) ? 'the busy one' : null));
  t.same(parties, [
    { letter: 'A', place: place(alice), role: 'calls' },
    { letter: 'B', place: place(busy), role: 'the busy one' },
    { letter: 'C', place: place(bob), role: 'rung as xxx47' },
  ]);
  t.same(labels, [
    'INVITE 2102, SDP',
    '100 Trying',
    'INVITE 2102, SDP',
    '486 Busy Here',
    'ACK',
    'INVITE xxx47, SDP',
    '200 OK, SDP',
    'ACK',
    '200 OK, SDP',
    'ACK',
    'BYE',
    '200 OK to BYE',
    'BYE',
    '200 OK to BYE',
  ]);
  const arrows = lines.map((line) => line.slice(11, 11 + 20));
  t.same(
    arrows.slice(0, 7),
    [
      'S    A    B    C',
      '|<---|    |    |  IN',
      '|--->|    |    |  10',
      '|-------->|    |  IN',
      '|<--------|    |  48',
      '|-------->|    |  AC',
      '|------------->|  IN',
    ].map((text) => text.padEnd(text.startsWith('S') ? 0 : 20)),
  );
  t.ok(lines.every((line) => line.length <= 80));
  const again = drawLadder([...told.slice(0, 1), ...told.slice(0, 1)], () => null);
  t.equal(again.labels[1], 'INVITE 2102, SDP, again');
  t.notMatch(JSON.stringify(told), /Feldstein|2025550147/);

  t.match(await ask('ladder\r\n{"callIds":"x"}'), { replies: [{}, { says: /^NOK\|ladder wants/ }] });
  t.match(await ask('ladder\r\n{"callIds":[]}', 'a secret of somebody else'), { kind: 'silent', why: /secret/ });
});

void t.test('a crowd of phones still fits', (t) => {
  const rung = {
    atMs: 0,
    isSent: true,
    protocol: 'udp' as const,
    callId: 'c',
    method: 'INVITE',
    status: null,
    asked: '2102',
    from: '',
    to: '',
    hasSdp: true,
    reason: null,
    text: '',
  } as const;
  const rungs = Array.from(
    { length: 40 },
    (_, i): Rung => ({ ...rung, remote: `192.0.2.${i}:5060`, sameness: String(i) }),
  );
  const { parties, lines } = drawLadder(rungs, () => null);
  t.equal(parties.at(-1)?.letter, 'AN');
  t.ok(lines.every((line) => line.length <= 80));
  t.match(lines.at(-1), /AN: INVITE 2102/);
  t.end();
});
