/** DTLS-SRTP with ICE: who is answered, whose certificate is taken, and what is heard meanwhile. */
import t, { type Test } from 'tap';
import { newIdentity } from '../../src/mediad/dtls/identity.ts';
import { isOneOf, readFingerprint } from '../../src/mediad/dtls/fingerprint.ts';
import { Handshake } from '../../src/mediad/dtls/handshake.ts';
import { groupRecords } from '../../src/mediad/dtls/records.ts';
import { LegDtls } from '../../src/mediad/dtls/leg-dtls.ts';
import { IceLite, newIceCredentials } from '../../src/mediad/ice/ice-lite.ts';
import { ATTRIBUTE, BINDING, isIntact, readStun, writeStun, xorMappedAddress } from '../../src/mediad/ice/stun.ts';
import type { BridgeFrame } from '../../src/mediad/media/bridge.ts';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import { kindOf } from '../../src/mediad/media/datagram-kind.ts';
import { MediaLeg } from '../../src/mediad/media/media-leg.ts';
import type { Endpoint, RemoteMedia, SrtpKeys } from '../../src/mediad/media/messages.ts';
import { readRtp, writeRtp } from '../../src/mediad/media/rtp-packet.ts';
import { newMasterKey } from '../../src/mediad/sdp/crypto-line.ts';
import type { LocalDtls } from '../../src/mediad/sdp/dtls-lines.ts';
import { answerSdp, type LocalMedia, offerSdp, readAnswer } from '../../src/mediad/sdp/negotiate.ts';
import { SrtpReceiver, SrtpSender } from '../../src/mediad/srtp/srtp.ts';
import { phoneWith } from '../support/media-leg.ts';
import { until } from '../support/processes.ts';

const us = newIdentity();
const browser = newIdentity();
const stranger = newIdentity();
const phoneAt = { address: '192.0.2.7', port: 4000 };
const movedTo = { address: '198.51.100.7', port: 4100 };
const attackerAt = { address: '203.0.113.66', port: 6666 };

// ---- STUN

/** RFC 5769 2.1 and 2.2, where the password is this one. */
const password = 'VOkJxbRl1RmTxUk/WvJxBt';
const request = Buffer.from(
  `000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36
   000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf`.replace(/\s/g, ''),
  'hex',
);
const response = Buffer.from(
  `0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c3
   8c7489f92af9ba53f06be7d780280004c07d4c96`.replace(/\s/g, ''),
  'hex',
);

t.test('the messages of RFC 5769 are read, checked and written as they stand there', async (t) => {
  const read = readStun(request)!;
  t.equal(read.type, BINDING.request);
  t.equal(read.attributes.get(ATTRIBUTE.username)?.toString(), 'evtj:h6vY');
  t.equal(read.attributes.get(ATTRIBUTE.priority)?.readUInt32BE(), 0x6e0001ff);
  t.ok(isIntact(read, request, password));
  t.notOk(isIntact(read, request, `${password}x`));
  const answer = readStun(response)!;
  t.ok(isIntact(answer, response, password));
  const mapped = xorMappedAddress({ address: '192.0.2.1', port: 32_853 });
  t.same(answer.attributes.get(ATTRIBUTE.xorMappedAddress), mapped);
  const attributes = [...answer.attributes].map(([name, value]) => [name, value] as const);
  const written = writeStun(BINDING.success, answer.transaction, attributes, password);
  // There the padding is a space, for which everything is counted anew.
  t.equal(written.length, response.length);
  t.ok(isIntact(readStun(written)!, written, password));
});

t.test('whatever is cut or changed is no message', async (t) => {
  for (let at = 0; at < request.length; at++) {
    const changed = Buffer.from(request);
    changed[at]! ^= 0x40;
    const read = readStun(changed);
    if (read !== undefined) t.fail(`byte ${at} counts for nothing`);
    t.equal(readStun(request.subarray(0, at)), undefined);
  }
});

const ours = { ufrag: 'ours', pwd: 'our password of some length' };
const session = { local: ours, remoteUfrag: 'them' };
type Attributes = readonly (readonly [number, Buffer])[];
const none = Buffer.alloc(0);
const nominating: Attributes = [
  [ATTRIBUTE.iceControlling, Buffer.alloc(8, 1)],
  [ATTRIBUTE.useCandidate, none],
];

function check(
  attributes: Attributes = nominating,
  { user = 'ours:them', pwd = ours.pwd, type = 1 as number } = {},
): Buffer {
  return writeStun(type, Buffer.alloc(12, 7), [[ATTRIBUTE.username, Buffer.from(user)], ...attributes], pwd);
}

function errorOf(datagram: Buffer | undefined): number | undefined {
  const value = datagram && readStun(datagram)?.attributes.get(ATTRIBUTE.errorCode);
  return value && value[2]! * 100 + value[3]!;
}

t.test(
  'a check that knows the password is answered with where it came from; only one that says so nominates',
  async (t) => {
    const ice = new IceLite(session);
    const answered = ice.answer(check(), phoneAt);
    t.equal(answered.isNominated, true);
    const read = readStun(answered.response!)!;
    t.equal(read.type, BINDING.success);
    t.ok(isIntact(read, answered.response!, ours.pwd));
    t.same(read.transaction, Buffer.alloc(12, 7));
    t.same(read.attributes.get(ATTRIBUTE.xorMappedAddress), xorMappedAddress(phoneAt));
    t.match(ice.answer(check([]), phoneAt), { isNominated: false, response: Buffer });
  },
);

t.test('nobody else is told anything', async (t) => {
  const ice = new IceLite(session);
  const silent = [
    check(nominating, { pwd: 'wrong' }),
    check(nominating, { user: 'ours:other' }),
    check(nominating, { user: 'other:them' }),
    check(nominating, { type: BINDING.indication }),
    check(nominating, { type: BINDING.success }),
    check(nominating).subarray(0, -8),
    request,
    Buffer.alloc(0),
  ];
  for (const datagram of silent) t.same(ice.answer(datagram, attackerAt), { response: undefined, isNominated: false });
  t.same(ice.answer(check(), { ...phoneAt, port: 0 }), { response: undefined, isNominated: false });
});

t.test('a lite side never controls, and does nothing that it does not understand', async (t) => {
  const ice = new IceLite(session);
  const controlled = ice.answer(check([[ATTRIBUTE.iceControlled, Buffer.alloc(8)], nominating[1]!]), phoneAt);
  t.equal(errorOf(controlled.response), 487);
  t.notOk(controlled.isNominated);
  const unknown = ice.answer(check([...nominating, [0x7f01, none]]), phoneAt);
  t.equal(errorOf(unknown.response), 420);
  t.same(readStun(unknown.response!)!.attributes.get(ATTRIBUTE.unknownAttributes), Buffer.from('7f01', 'hex'));
  t.notOk(unknown.isNominated);
});

t.test('after a restart the old checks are still answered until the first new one, and nominate nothing', async (t) => {
  const ice = new IceLite(session);
  ice.restart({ local: { ufrag: 'new', pwd: 'another password' }, remoteUfrag: 'again' });
  const old = ice.answer(check(), phoneAt);
  t.ok(old.response);
  t.notOk(old.isNominated);
  t.ok(ice.answer(check(nominating, { user: 'new:again', pwd: 'another password' }), phoneAt).isNominated);
  t.equal(ice.answer(check(), phoneAt).response, undefined);
});

// ---- DTLS

t.test('of several fingerprints the strongest hash decides; one that can be forged is none', async (t) => {
  const right = readFingerprint(`sha-256 ${browser.fingerprint}`)!;
  const wrong = readFingerprint(`SHA-256 ${stranger.fingerprint.toLowerCase()}`)!;
  const stronger = readFingerprint(`sha-512 ${Array.from({ length: 64 }, () => '00').join(':')}`)!;
  t.ok(isOneOf([wrong, right], browser.certificate));
  t.notOk(isOneOf([wrong], browser.certificate));
  t.notOk(isOneOf([right, stronger], browser.certificate));
  t.notOk(isOneOf([], browser.certificate));
  for (const line of ['sha-1 00:11', 'md5 00', 'sha-256 00:11', `sha-256 ${browser.fingerprint}:00`, 'toString 00', ''])
    t.equal(readFingerprint(line), undefined, line);
});

t.test('records leave whole, several in a datagram', async (t) => {
  const record = (bytes: number) => {
    const one = Buffer.alloc(13 + bytes, bytes & 0xff);
    one.writeUInt16BE(bytes, 11);
    return one;
  };
  const flight = Buffer.concat([record(100), record(900), record(300), record(2000), record(5)]);
  t.same(
    groupRecords(flight, 1200).map(({ length }) => length),
    [1026, 313, 2013, 18],
  );
  t.same(groupRecords(flight.subarray(0, 50), 1200), []);
});

interface Side {
  readonly handshake: Handshake;
  readonly keys: () => SrtpKeys | undefined;
  readonly failure: () => string | undefined;
}

/** Two sides over a network that drops what `isLost` says. */
function pair(
  expected: { readonly byServer: string; readonly byClient: string },
  identities = { server: us, client: browser },
  isLost: (count: number) => boolean = () => false,
): { readonly server: Side; readonly client: Side } {
  let count = 0;
  const side = (role: 'server' | 'client', fingerprint: string, peer: () => Side): Side => {
    let keys: SrtpKeys | undefined;
    let failure: string | undefined;
    const events = {
      send: (datagram: Buffer) => {
        const sent = Buffer.from(datagram);
        if (!isLost(count++)) setImmediate(() => peer().handshake.receive(sent));
      },
      agreed: (agreed: SrtpKeys) => (keys = agreed),
      failed: (reason: string) => (failure = reason),
    };
    const handshake = new Handshake(role, [{ hash: 'sha-256', value: fingerprint }], events, identities[role]);
    return { handshake, keys: () => keys, failure: () => failure };
  };
  const server: Side = side('server', expected.byServer, () => client);
  const client: Side = side('client', expected.byClient, () => server);
  return { server, client };
}

function closing(t: Test, { server, client }: { readonly server: Side; readonly client: Side }): void {
  t.teardown(() => [server, client].forEach(({ handshake }) => handshake.close()));
}

t.test('both sides have the same keys, each the other way round', async (t) => {
  const both = pair({ byServer: browser.fingerprint, byClient: us.fingerprint });
  closing(t, both);
  both.client.handshake.start();
  await until('the keys', async () => both.server.keys() !== undefined && both.client.keys() !== undefined);
  const { ours, theirs } = both.server.keys()!;
  t.same(both.client.keys(), { ours: theirs, theirs: ours });
  t.equal(ours.suite, 'AEAD_AES_128_GCM');
  t.notSame(ours.key, theirs.key);
});

t.test('datagrams that are lost are sent again', async (t) => {
  const both = pair({ byServer: browser.fingerprint, byClient: us.fingerprint }, undefined, (n) => n === 0 || n === 3);
  closing(t, both);
  both.client.handshake.start();
  await until('the keys', async () => both.server.keys() !== undefined && both.client.keys() !== undefined);
});

t.test('whoever shows another certificate gets no keys', async (t) => {
  const both = pair({ byServer: browser.fingerprint, byClient: us.fingerprint }, { server: us, client: stranger });
  closing(t, both);
  both.client.handshake.start();
  await until('the failure', async () => both.server.failure() !== undefined);
  t.match(both.server.failure(), /certificate is not the one/);
  t.equal(both.server.keys(), undefined);
});

t.test('a certificate without its key proves nothing', async (t) => {
  // What an attacker has who has read the description, and has seen the certificate on the wire.
  t.throws(() =>
    pair(
      { byServer: browser.fingerprint, byClient: us.fingerprint },
      {
        server: us,
        client: { ...stranger, certificate: browser.certificate },
      },
    ),
  );
});

t.test('garbage is passed over, whatever it looks like', async (t) => {
  const both = pair({ byServer: browser.fingerprint, byClient: us.fingerprint });
  closing(t, both);
  for (let first = 20; first < 64; first++) {
    for (const length of [1, 12, 13, 40, 1200]) both.server.handshake.receive(Buffer.alloc(length, first));
  }
  both.client.handshake.start();
  await until('the keys', async () => both.server.keys() !== undefined);
});

// ---- the leg

function aLeg(dtls: RemoteMedia['dtls']) {
  const sent: { datagram: Buffer; to: Endpoint }[] = [];
  const shown: Buffer[] = [];
  const leg = new MediaLeg({
    transport: {
      send: (datagram, to) => sent.push({ datagram: Buffer.from(datagram), to }),
      sendControl: () => t.fail('nothing leaves by the other port'),
      connect: () => {},
      disconnect: () => {},
      close: () => {},
    },
    events: {
      digit: () => {},
      silent: () => {},
      measured: () => {},
      reported: () => {},
      dtlsHeard: (datagram) => shown.push(datagram),
    },
    silenceMs: 0,
    nowMs: 0,
  });
  const remote: RemoteMedia = { ...phoneWith(PCMU, 0, phoneAt), control: 'muxed', dtls };
  leg.setRemote(remote, 0);
  const heard: Buffer[] = [];
  leg.bridge({
    takes: 'packets',
    push: (frame: BridgeFrame) => void (frame.kind === 'audio' && heard.push(Buffer.from(frame.payload))),
    close: () => {},
  });
  const hear = (datagram: Buffer, from: Endpoint, nowMs = 0) => leg.receive(Buffer.from(datagram), from, nowMs);
  const sentTo = () => [...new Set(sent.map(({ to }) => to.address))];
  return { leg, remote, sent, sentTo, shown, heard, hear };
}

const packet = (sequence: number, fill = sequence) =>
  writeRtp({
    payloadType: 0,
    marker: false,
    sequence,
    timestamp: sequence * 160,
    ssrc: 5,
    payload: Buffer.alloc(160, fill),
  });
const hello = Buffer.concat([Buffer.from([22, 254, 253]), Buffer.alloc(40)]);
const keys: SrtpKeys = { ours: newMasterKey('AEAD_AES_128_GCM'), theirs: newMasterKey('AEAD_AES_128_GCM') };

t.test('what comes on one port is told apart by its first byte', async (t) => {
  const kinds = Array.from({ length: 256 }, (_, first) => kindOf(Buffer.from([first])));
  for (const [first, kind] of kinds.entries()) {
    const expected =
      first <= 3 ? 'stun' : first >= 20 && first <= 63 ? 'dtls' : first >= 128 && first <= 191 ? 'sound' : 'unknown';
    t.equal(kind, expected, String(first));
  }
  t.equal(kindOf(Buffer.alloc(0)), 'unknown');
});

t.test('until somebody is nominated nobody is heard and nobody is sent to', async (t) => {
  const { leg, sent, shown, heard, hear } = aLeg({ ice: session });
  for (let i = 0; i < 20; i++) {
    for (const at of [phoneAt, attackerAt]) {
      hear(packet(i), at, i * 20);
      hear(hello, at, i * 20);
      hear(check(nominating, { pwd: 'guessed' }), at, i * 20);
    }
    leg.tick(i * 20);
  }
  t.same({ sent, shown, heard }, { sent: [], shown: [], heard: [] });
  t.equal(leg.report().counters.foreignIn, 120);
  leg.close();
});

t.test('before the keys are there nothing is heard or said in the clear', async (t) => {
  const { leg, sent, shown, heard, hear } = aLeg({ ice: session });
  hear(check(), phoneAt);
  t.equal(sent.length, 1, 'the check is answered');
  hear(hello, phoneAt);
  t.same(shown, [hello]);
  for (let i = 0; i < 20; i++) {
    hear(packet(i), phoneAt, i * 20);
    leg.tick(i * 20);
  }
  t.same(heard, []);
  t.equal(sent.length, 1);
  leg.close();
});

t.test('with the keys the nominated source is heard and sent to, and nobody else', async (t) => {
  const { leg, remote, sent, sentTo, heard, hear } = aLeg({ ice: session });
  const phone = new SrtpSender(keys.theirs);
  hear(check(), phoneAt);
  leg.setRemote({ ...remote, srtp: keys }, 0);
  leg.unbridge();
  for (let i = 0; i < 20; i++) leg.tick(i * 20);
  const rtp = sent.filter(({ datagram }) => kindOf(datagram) === 'sound' && (datagram[1]! & 0x7f) === 0);
  t.equal(rtp.length, 20);
  const opened = new SrtpReceiver(keys.ours).open(rtp[0]!.datagram);
  t.same(typeof opened === 'object' && readRtp(opened)?.payload, Buffer.alloc(160, 0xff));
  leg.bridge({
    takes: 'packets',
    push: (frame) => void (frame.kind === 'audio' && heard.push(Buffer.from(frame.payload))),
    close: () => {},
  });
  const first = phone.seal(packet(1))!;
  hear(first, attackerAt);
  hear(check(nominating, { pwd: 'guessed' }), attackerAt);
  hear(packet(3), attackerAt);
  hear(first, phoneAt);
  t.same(heard, [Buffer.alloc(160, 1)]);
  t.same(sentTo(), [phoneAt.address]);
  // Another network: the next check that knows the password moves the sound, and the old place is foreign.
  hear(check(), movedTo);
  hear(phone.seal(packet(2))!, phoneAt);
  hear(phone.seal(packet(4))!, movedTo);
  t.same(heard, [Buffer.alloc(160, 1), Buffer.alloc(160, 4)]);
  sent.length = 0;
  leg.tick(1000);
  t.same(sentTo(), [movedTo.address]);
  leg.close();
});

t.test('parked with nobody there it stays closed; taken back it goes on with its keys', async (t) => {
  const { leg, remote, heard, hear } = aLeg({ ice: session });
  const phone = new SrtpSender(keys.theirs);
  hear(check(), phoneAt);
  leg.setRemote({ ...remote, srtp: keys }, 0);
  const first = phone.seal(packet(1))!;
  hear(first, phoneAt);
  leg.setRemote({ ...remote, sendTo: undefined, control: undefined, dtls: { ice: undefined } }, 0);
  hear(packet(2), phoneAt);
  hear(phone.seal(packet(2))!, phoneAt);
  leg.setRemote({ ...remote, srtp: keys }, 0);
  hear(first, phoneAt);
  hear(phone.seal(packet(3))!, phoneAt);
  t.same(heard, [Buffer.alloc(160, 1), Buffer.alloc(160, 3)]);
  leg.close();
});

t.test('RTCP comes by the same port', async (t) => {
  const { leg, remote, hear } = aLeg({ ice: session });
  hear(check(), phoneAt);
  leg.setRemote({ ...remote, srtp: keys }, 0);
  const report = Buffer.concat([Buffer.from('80c9000100000005', 'hex')]);
  hear(new SrtpSender(keys.theirs).sealControl(report), phoneAt);
  hear(report, phoneAt);
  t.match(leg.report().counters, { controlIn: 1, unauthenticIn: 1 });
  leg.close();
});

t.test('a flood of DTLS keeps nobody busy', async (t) => {
  const { leg, shown, hear } = aLeg({ ice: session });
  hear(check(), phoneAt);
  for (let i = 0; i < 1000; i++) hear(hello, phoneAt, i);
  t.ok(shown.length >= 40 && shown.length <= 80, String(shown.length));
  hear(hello, phoneAt, 5000);
  t.ok(shown.length >= 41, 'and it goes on later');
  leg.close();
});

t.test('what DTLS has to say before there is a place waits for it', async (t) => {
  const { leg, sent, hear } = aLeg({ ice: session });
  leg.sendHandshake(hello);
  t.same(sent, []);
  hear(check(), phoneAt);
  t.same(
    sent.map(({ datagram, to }) => [kindOf(datagram), to.address]),
    [
      ['stun', phoneAt.address],
      ['dtls', phoneAt.address],
    ],
  );
  leg.close();
});

t.test('without ICE the other side is found by its address, as ever', async (t) => {
  const { leg, remote, sent, shown, heard, hear } = aLeg({ ice: undefined });
  hear(hello, attackerAt);
  hear(check(), phoneAt);
  t.same({ shown, sent }, { shown: [], sent: [] });
  hear(hello, { ...phoneAt, port: 4500 });
  leg.sendHandshake(hello);
  t.match(sent, [{ to: { ...phoneAt, port: 4500 } }]);
  leg.setRemote({ ...remote, srtp: keys }, 0);
  hear(new SrtpSender(keys.theirs).seal(packet(1))!, phoneAt);
  t.same(heard, [Buffer.alloc(160, 1)]);
  leg.close();
});

// ---- descriptions

const credentials = newIceCredentials();
const local = (dtls: Partial<LocalDtls> = {}, offers: 'sdes' | 'dtls' = 'dtls'): LocalMedia => ({
  address: '192.0.2.1',
  port: 20_000,
  controlPort: 20_333,
  sessionId: '1',
  version: 1,
  codecs: { names: ['PCMU', 'PCMA'], order: 'offer' },
  security: {
    isRequired: true,
    offers,
    keyOf: newMasterKey,
    dtls: () => ({ fingerprint: us.fingerprint, role: undefined, ice: () => credentials, ...dtls }),
  },
});

const lines = (...more: readonly string[]) => more.map((line) => `${line}\r\n`).join('');
const fingerprint = `a=fingerprint:sha-256 ${browser.fingerprint}`;
const offered = (...more: readonly string[]) =>
  `v=0\r\nc=IN IP4 0.0.0.0\r\na=group:BUNDLE audio\r\n` +
  lines(
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'a=mid:audio',
    'a=rtcp-mux',
    fingerprint,
    'a=ice-ufrag:them',
    'a=ice-pwd:x',
    ...more,
  );

t.test('the offer of a browser is answered with all that it demands', async (t) => {
  const answered = answerSdp(offered('a=setup:actpass'), local());
  if (answered.kind === 'refused') return t.fail(answered.reason);
  const { sdp, agreed } = answered;
  t.match(agreed, { cipher: 'dtls', srtp: undefined, direction: 'sendrecv', control: 'muxed' });
  t.same(agreed.dtls, {
    role: 'server',
    fingerprints: [{ hash: 'sha-256', value: browser.fingerprint }],
    remoteUfrag: 'them',
  });
  for (const line of [
    'a=ice-lite',
    'a=group:BUNDLE audio',
    'm=audio 20000 UDP/TLS/RTP/SAVPF 0',
    'a=mid:audio',
    `a=fingerprint:sha-256 ${us.fingerprint}`,
    'a=setup:passive',
    `a=ice-ufrag:${credentials.ufrag}`,
    `a=ice-pwd:${credentials.pwd}`,
    'a=candidate:1 1 UDP 2130706431 192.0.2.1 20000 typ host',
    'a=rtcp-mux',
  ])
    t.ok(sdp.includes(`${line}\r\n`), line);
  t.notMatch(sdp, /a=rtcp:|a=crypto/);
  t.ok(sdp.indexOf('a=ice-lite') < sdp.indexOf('m='), 'for the whole session');
});

t.test('who begins follows from what the other side says, and stays', async (t) => {
  const roleFor = (setup: string, role?: 'client' | 'server') => {
    const answered = answerSdp(offered(setup), local({ role }));
    return answered.kind === 'refused'
      ? 'refused'
      : `${answered.agreed.dtls?.role} ${/a=setup:(\w+)/.exec(answered.sdp)?.[1]}`;
  };
  t.equal(roleFor('a=setup:active'), 'server passive');
  t.equal(roleFor('a=setup:passive'), 'client active');
  t.equal(roleFor('a=setup:actpass', 'client'), 'client active');
  t.equal(roleFor('a=sendrecv'), 'server passive');
  t.equal(roleFor('a=setup:holdconn'), 'refused');
});

t.test('our offer leaves it to the browser, and its answer is taken', async (t) => {
  const ourOffer = offerSdp(local());
  for (const line of ['a=setup:actpass', 'a=ice-lite', 'a=group:BUNDLE 0', 'a=mid:0', 'a=rtcp-mux'])
    t.ok(ourOffer.includes(`${line}\r\n`), line);
  t.match(ourOffer, /m=audio 20000 UDP\/TLS\/RTP\/SAVPF 0 8 /);
  t.match(readAnswer(offered('a=setup:active'), local()), { kind: 'agreed', agreed: { dtls: { role: 'server' } } });
  // drachtio-srf hands it back to us to park the leg: encrypted, with nobody there.
  const echo = readAnswer(ourOffer, local());
  t.match(echo, { kind: 'agreed', agreed: { cipher: 'dtls', direction: 'inactive', dtls: undefined } });
});

t.test('what could not be trusted, or not be heard, is refused and says why', async (t) => {
  const refused = (sdp: string) => {
    const answered = answerSdp(sdp, local());
    return answered.kind === 'refused' ? answered.reason : 'answered';
  };
  t.match(refused(offered().replace('a=rtcp-mux\r\n', '')), /rtcp-mux/);
  t.match(refused(offered().replace(fingerprint, 'a=fingerprint:sha-1 00:11')), /fingerprint/);
  t.match(refused(offered().replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP').replace('audio 9', 'audio 4000')), /not encrypted/);
  t.match(refused(offered().replace(/a=ice-ufrag.*\r\n/, '')), /port 9/);
});

t.test('a lite side on both ends is found by its address', async (t) => {
  const lite = `v=0\r\nc=IN IP4 192.0.2.7\r\na=ice-lite\r\n${offered().split('audio\r\n').slice(1).join('audio\r\n')}`;
  const answered = answerSdp(lite.replace('audio 9', 'audio 4000'), local());
  t.match(answered, { kind: 'answered', agreed: { remoteAddress: '192.0.2.7', dtls: { remoteUfrag: undefined } } });
});

t.test('a restart of ICE is answered with new credentials, and the keys stay', async (t) => {
  let begun = 0;
  const dtls = new LegDtls({ send: () => begun++, agreed: () => {}, failed: (reason) => t.fail(reason) });
  t.teardown(() => dtls.close());
  const fingerprints = [{ hash: 'sha-256', value: browser.fingerprint }] as const;
  const first = dtls.local.ice(undefined);
  t.same(dtls.local.ice('one'), first, 'what was offered is what is checked');
  dtls.agree({ role: 'client', fingerprints, remoteUfrag: 'one' });
  dtls.start();
  t.equal(begun, 1);
  t.same(dtls.ice, { local: first, remoteUfrag: 'one' });
  t.equal(dtls.local.role, 'client');
  const second = dtls.local.ice('two');
  t.notSame(second, first);
  dtls.agree({ role: 'client', fingerprints, remoteUfrag: 'two' });
  t.same(dtls.ice, { local: second, remoteUfrag: 'two' });
  t.equal(begun, 1, 'the same session');
  dtls.agree({ role: 'client', fingerprints: [{ hash: 'sha-256', value: stranger.fingerprint }], remoteUfrag: 'two' });
  dtls.start();
  t.equal(begun, 2, 'somebody else: a new one');
});
