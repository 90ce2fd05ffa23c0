import { chooseServer } from '../../src/telephony/choose-server.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { instant } from '../../src/core/time/index.ts';
import { Authenticator } from '../../src/telephony/auth/authenticator.ts';
import { digestHash, digestResponse, parseDigestAnswers } from '../../src/telephony/auth/digest.ts';
import { Challenger } from '../../src/telephony/challenger.ts';
import { dtmfKeys } from '../../src/telephony/dtmf-info.ts';
import { MemoryBindings } from '../../src/telephony/index.ts';
import { callersCipher, cipherOffered } from '../../src/telephony/media-cipher.ts';
import type { PeerAddress } from '../../src/telephony/ports.ts';
import { nextHop, requestUri } from '../../src/telephony/places.ts';
import { legResult, tellingResult } from '../../src/telephony/leg-result.ts';
import { parseNameAddrs, parseSipUri, quoteName, sameUri } from '../../src/telephony/name-addr.ts';
import { offeredHeaders } from '../../src/telephony/offered-headers.ts';
import { telephonySchema } from '../../src/telephony/options.ts';
import { PromptLibrary } from '../../src/telephony/prompts.ts';
import { contactHeader, Registrations } from '../../src/telephony/registrations.ts';
import { sdpFacts, sendsAudio } from '../../src/telephony/sdp.ts';
import { TrunkWatch } from '../../src/telephony/trunk-watch.ts';
import { Trunks } from '../../src/telephony/trunks.ts';
import { answerChallenge, credentialsFor, random, TestClock, TestLog } from '../support/telephony.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

void t.test('digest: the vectors of RFC 7616 3.9.1', async (t) => {
  const answer = (algorithm: string) =>
    parseDigestAnswers(
      'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", ' +
        `algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ` +
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="00", opaque="x"',
    )[0];
  for (const [algorithm, expected] of [
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const) {
    const parsed = answer(algorithm);
    if (!parsed) return t.fail(`${algorithm} was not read`);
    t.equal(parsed.username, 'Mufasa');
    const ha1 = digestHash(algorithm, 'Mufasa:http-auth@example.org:Circle of Life');
    t.equal(digestResponse('GET', ha1, parsed), expected, algorithm);
  }
  t.same(answer('MD5-sess'), undefined, 'an algorithm that was not offered is no answer');
});

void t.test('digest: several answers in one header, quotes and rubbish', async (t) => {
  const one = 'Digest username="a\\"b,c", realm="r", nonce="n", uri="u", response="AB", qop="auth", nc=0000000a';
  t.same(
    parseDigestAnswers(`${one}, algorithm=SHA-256,Digest ${one.slice(7)}`).map(({ username, algorithm }) => [
      username,
      algorithm,
    ]),
    [
      ['a"b,c', 'SHA-256'],
      ['a"b,c', 'MD5'],
    ],
  );
  t.same(parseDigestAnswers('Basic dXNlcg=='), []);
  t.same(parseDigestAnswers(one.replace('qop="auth"', 'qop="auth-int"')), [], 'only what was offered');
  t.same(parseDigestAnswers(`Digest ${'x'.repeat(5000)}`), [], 'bounded');
  t.same(parseDigestAnswers(one.replace('username="a', `username="${'a'.repeat(80)}`)), []);
});

function house() {
  const clock = new TestClock();
  const known = new Set<string>();
  const seen: string[] = [];
  const authenticator = new Authenticator({
    credentials: credentialsFor('wardline', ['2101']),
    realm: 'wardline',
    digests: ['SHA-256', 'MD5'],
    md5OnlyAgents: ['', 'oldphone'],
    clock,
    random,
    isKnownDevice: (extension, ip) => known.has(`${extension} ${ip}`),
    watch: {
      right: (extension, ip) => seen.push(`right ${extension} ${ip}`),
      wrong: (extension, ip) => seen.push(`wrong ${extension} ${ip}`),
    },
  });
  const check = (authorization: string, sourceIp = '10.0.0.9', userAgent = 'phone') =>
    authenticator.check({ method: 'REGISTER', authorization, sourceIp, userAgent });
  const challenges = (result = check('')): readonly string[] => (result.kind === 'challenge' ? result.challenges : []);
  const answer = (challenge: string | undefined, password: string, username = '2101', nc = 1) =>
    answerChallenge(challenge ?? '', { username, password, method: 'REGISTER', uri: 'sip:wardline', nc });
  return { clock, known, seen, check, challenges, answer };
}

void t.test('authentication: both algorithms, SHA-256 offered first', async (t) => {
  const { check, challenges, answer } = house();
  const [sha, md5] = challenges();
  t.match(sha, /algorithm=SHA-256/);
  t.match(md5, /algorithm=MD5/);
  t.same(check(answer(sha, 'secret-2101')), { kind: 'known', extension: '2101' });
  t.same(check(answer(challenges()[1], 'secret-2101')), { kind: 'known', extension: '2101' });
});

void t.test('authentication: who was let in and who was not is told, a first question is neither', async (t) => {
  const { seen, check, challenges, answer } = house();
  check('');
  check(answer(challenges()[0], 'wrong'));
  check(answer(challenges()[0], 'wrong', 'nobody-has-this-name'));
  check(answer(challenges()[0], 'secret-2101'));
  t.same(seen, ['wrong 2101 10.0.0.9', 'wrong  10.0.0.9', 'right 2101 10.0.0.9']);
  for (let i = 0; i < 8; i++) check(answer(challenges()[0], 'wrong'), '10.0.0.66');
  t.ok(seen.includes('wrong  10.0.0.66'), 'and who has to wait is counted');
});

void t.test('authentication: a phone that trips over SHA-256 is offered MD5 alone', async (t) => {
  const { check, challenges, answer } = house();
  for (const agent of ['', 'oldphone v1']) {
    const offered = challenges(check('', '10.0.0.9', agent));
    t.equal(offered.length, 1, agent);
    t.match(offered[0], /algorithm=MD5/);
    t.equal(check(answer(offered[0], 'secret-2101')).kind, 'known');
  }
  t.equal(challenges(check('', '10.0.0.9', 'newphone')).length, 2);
});

void t.test('authentication: an unknown extension and a wrong password get the same bytes', async (t) => {
  const { check, challenges, answer } = house();
  const blind = (text: string): string => text.replace(/nonce="[^"]+"/, 'nonce=""');
  const wrong = challenges(check(answer(challenges()[0], 'guess'))).map(blind);
  const unknown = challenges(check(answer(challenges()[0], 'guess', '9999'))).map(blind);
  t.equal(wrong.length, 2);
  t.same(wrong, unknown);
  t.same(wrong, challenges().map(blind), 'and the same as without any answer');
});

void t.test('authentication: a captured answer cannot be played again', async (t) => {
  const { clock, check, challenges, answer } = house();
  const [sha] = challenges();
  const captured = answer(sha, 'secret-2101');
  t.equal(check(captured).kind, 'known');
  t.match(challenges(check(captured))[0], /stale=true/, 'same count');
  t.equal(check(answer(sha, 'secret-2101', '2101', 2)).kind, 'known', 'the count must rise');
  t.equal(check(answer(sha, 'secret-2101', '2101', 2)).kind, 'challenge');
  clock.advance(5 * 60_000 + 1);
  t.match(challenges(check(answer(sha, 'secret-2101', '2101', 3)))[0], /stale=true/, 'too old');
  const foreign = (sha ?? '').replace(/nonce="[^"]+"/, `nonce="${Buffer.alloc(32).toString('base64url')}"`);
  t.equal(check(answer(foreign, 'secret-2101')).kind, 'challenge', 'a nonce of somebody else');
});

void t.test('authentication: an answer to REGISTER is none to INVITE', async (t) => {
  const { check, challenges } = house();
  const as = { username: '2101', password: 'secret-2101', uri: 'sip:wardline' };
  t.equal(check(answerChallenge(challenges()[0] ?? '', { ...as, method: 'INVITE' })).kind, 'challenge');
  t.equal(check(answerChallenge(challenges()[0] ?? '', { ...as, method: 'REGISTER' })).kind, 'known');
});

void t.test(
  'authentication: guessing costs growing time, and cannot lock a phone out of its own address',
  async (t) => {
    const { clock, known, check, challenges, answer } = house();
    for (let i = 0; i < 5; i += 1) t.equal(check(answer(challenges()[0], 'guess')).kind, 'challenge');
    t.same(check(answer(challenges()[0], 'secret-2101')), { kind: 'tooManyFailures', retryAfterSeconds: 1 });
    t.equal(check(answer(challenges()[0], 'secret-2101'), '10.0.0.77').kind, 'tooManyFailures', 'from elsewhere too');
    known.add('2101 10.0.0.50');
    t.equal(check(answer(challenges()[0], 'secret-2101'), '10.0.0.50').kind, 'known', 'but not from its own address');
    for (let i = 0; i < 5; i += 1) check(answer(challenges()[0], 'guess'), '10.0.0.9');
    clock.advance(1000);
    for (let i = 0; i < 3; i += 1) {
      check(answer(challenges()[0], 'guess'));
      clock.advance(1000 * 2 ** i);
    }
    check(answer(challenges()[0], 'guess'));
    const waiting = check(answer(challenges()[0], 'guess'));
    t.ok(waiting.kind === 'tooManyFailures' && waiting.retryAfterSeconds > 1, 'the wait grows');
  },
);

void t.test(
  'authentication: which phone has the wrong password is known, a name that nobody has is not kept',
  async (t) => {
    const { check, challenges, answer } = house();
    t.match(check(''), { failed: null });
    t.match(check(answer(challenges()[0], 'typo')), { failed: { extension: '2101' } });
    t.match(check(answer(challenges()[0], 'typo', '+12025550147')), { failed: { extension: null } });
  },
);

void t.test('authentication: a known phone that retries a wrong password does not shut its address out', async (t) => {
  const { clock, known, check, challenges, answer } = house();
  known.add('2101 10.0.0.9');
  for (let i = 0; i < 40; i += 1) t.equal(check(answer(challenges()[0], 'typo')).kind, 'challenge');
  known.clear();
  t.same(check(answer(challenges()[0], 'secret-2101')), { kind: 'tooManyFailures', retryAfterSeconds: 1 });
  clock.advance(1000);
  t.equal(check(answer(challenges()[0], 'secret-2101')).kind, 'known');
});

function location(maxContacts = 5) {
  const clock = new TestClock();
  const store = new MemoryBindings();
  const make = () =>
    new Registrations({ limits: { minExpires: 60, maxExpires: 3600, maxContacts }, clock, store, log: new TestLog() });
  const registrations = make();
  let cseq = 1;
  const register = (contact: string, expires = '', extra: { callId?: string; cseq?: number } = {}) =>
    registrations.apply({
      extension: '2101',
      contact,
      expires,
      callId: extra.callId ?? 'c1',
      cseq: extra.cseq ?? cseq++,
      userAgent: 'test',
      server: 'sipd',
      source: { ip: '10.0.0.9', port: 5060, protocol: 'udp' },
    });
  const uris = () => registrations.of('2101').map(({ uri }) => uri);
  return { clock, store, make, registrations, register, uris };
}

void t.test('registrations: several contacts, q first, un-register one, then all', async (t) => {
  const { clock, registrations, register, uris } = location();
  register('<sip:2101@10.0.0.1>;q=0.3, "Desk, left" <sip:2101@10.0.0.2:5062;transport=tcp>;expires=120');
  t.same(uris(), ['sip:2101@10.0.0.2:5062;transport=tcp', 'sip:2101@10.0.0.1']);
  t.equal(
    contactHeader(registrations.of('2101'), clock.now()),
    '<sip:2101@10.0.0.2:5062;transport=tcp>;expires=120, <sip:2101@10.0.0.1>;q=0.300;expires=3600',
  );
  t.match(register('', '', {}), { kind: 'ok', bindings: { length: 2 } }, 'no Contact only asks');
  register('<sip:2101@10.0.0.1>;expires=0');
  t.same(uris(), ['sip:2101@10.0.0.2:5062;transport=tcp']);
  t.match(register('*', '60'), { kind: 'badRequest' });
  register('*', '0');
  t.same(uris(), []);
});

void t.test('registrations: expiry, limits and order', async (t) => {
  const { clock, register, uris } = location(2);
  t.same(register('<sip:2101@10.0.0.1>', '30'), { kind: 'tooBrief', minExpires: 60 });
  t.match(register('<sip:2101@10.0.0.1>', '99999'), { bindings: [{ expiresAt: instant(clock.now() + 3_600_000) }] });
  t.same(register('<sip:2101@10.0.0.1>', '60', { cseq: 1 }), { kind: 'outOfOrder' });
  clock.advance(1000);
  register('<sip:2101@10.0.0.2>', '60');
  clock.advance(1000);
  register('<sip:2101@10.0.0.3>', '60');
  t.same(uris(), ['sip:2101@10.0.0.3', 'sip:2101@10.0.0.2'], 'the one silent for longest made room');
  t.match(register('<sip:a@h>,<sip:b@h>,<sip:c@h>', '60'), { kind: 'badRequest' });
  t.match(register('<mailto:a@h>', '60'), { kind: 'badRequest' });
  t.match(register('<sip:a@h', '60'), { kind: 'badRequest' });
  clock.advance(60_000);
  t.same(uris(), []);
});

void t.test('registrations: what has expired does not stay in the store', async (t) => {
  const { clock, store, register } = location();
  register('<sip:2101@10.0.0.1>;expires=60');
  clock.advance(61_000);
  register('<sip:2101@10.0.0.2>');
  t.same(
    (await store.load()).map(({ uri }) => uri),
    ['sip:2101@10.0.0.2'],
  );
});

void t.test('registrations: those of a phone that was taken away end at once', async (t) => {
  const { store, registrations, register, uris } = location();
  register('<sip:2101@10.0.0.1>, <sip:2101@10.0.0.2>');
  registrations.forget('3101');
  t.equal(uris().length, 2);
  registrations.forget('2101');
  t.same([uris(), registrations.all(), await store.load()], [[], [], []]);
  t.notOk(registrations.isKnownDevice('2101', '10.0.0.9'));
  register('<sip:2101@10.0.0.3>');
  t.same(uris(), ['sip:2101@10.0.0.3'], 'the next one begins anew');
});

void t.test('registrations: a phone that moved keeps one contact, and a restart keeps it', async (t) => {
  const { clock, make, register, uris } = location();
  const instance = '+sip.instance="<urn:uuid:1>"';
  register(`<sip:2101@10.0.0.1:1111>;${instance}`, '120');
  register(`<sip:2101@10.0.0.1:2222>;${instance}`, '120');
  register('<sip:2101@10.0.0.5>', '60');
  t.same(uris().length, 2);
  const after = make();
  await after.load();
  t.same(
    after
      .of('2101')
      .map(({ uri }) => uri)
      .sort(),
    ['sip:2101@10.0.0.1:2222', 'sip:2101@10.0.0.5'],
  );
  clock.advance(61_000);
  const later = make();
  await later.load();
  t.same(
    later.of('2101').map(({ uri }) => uri),
    ['sip:2101@10.0.0.1:2222'],
  );
});

void t.test('addresses: names, parameters, escapes and rubbish', async (t) => {
  t.match(parseNameAddrs('"A, \\"B\\"" <sip:x@h;transport=tcp>;q=0.5;tag=1'), [
    {
      displayName: 'A, "B"',
      uri: 'sip:x@h;transport=tcp',
      params: new Map([
        ['q', '0.5'],
        ['tag', '1'],
      ]),
    },
  ]);
  t.match(parseNameAddrs('sip:x@h;tag=1'), [{ uri: 'sip:x@h', params: new Map([['tag', '1']]) }]);
  t.equal(parseNameAddrs(`<sip:${'a'.repeat(9000)}@h>`), null);
  t.equal(parseNameAddrs('<>'), null);
  t.match(parseSipUri('sip:%2B1202;phone-context=x@[2001:DB8::1]:5070;transport=TCP'), {
    user: '+1202',
    host: '2001:db8::1',
    port: 5070,
  });
  t.match(parseSipUri('sip:wardline'), { user: '', host: 'wardline', port: null });
  t.equal(parseSipUri('sip:a@b:99999'), null);
  t.equal(parseSipUri('http://x'), null);
  t.ok(sameUri('sip:a@H:5060', 'sip:a@h;transport=udp'));
  t.notOk(sameUri('sip:a@h', 'sip:a@h;transport=tcp'));
  t.equal(quoteName('Ward "4B"\r\nX: 1\\'), '"Ward \\"4B\\"X: 1\\\\"');
});

void t.test('SIP statuses: every one has a meaning', async (t) => {
  const desk = { kind: 'extension', extension: '2101' } as const;
  const mobile = { kind: 'number', e164: '+12025550111', trunk: 'carrier' } as const;
  const table: readonly [number, boolean, string, string][] = [
    [486, true, 'busy', 'busy'],
    [600, true, 'busy', 'busy'],
    [603, true, 'declined', 'declined'],
    [403, false, 'declined', 'trunkUnavailable'],
    [480, true, 'noAnswer', 'noAnswer'],
    [487, true, 'noAnswer', 'noAnswer'],
    [408, true, 'noAnswer', 'noAnswer'],
    [408, false, 'unreachable', 'unreachable'],
    [404, false, 'unreachable', 'unreachable'],
    [410, false, 'unreachable', 'unreachable'],
    [407, false, 'unreachable', 'trunkUnavailable'],
    [488, false, 'mediaFailed', 'mediaFailed'],
    [503, false, 'unreachable', 'trunkUnavailable'],
    [302, false, 'unreachable', 'unreachable'],
  ];
  for (const [status, rang, atDesk, byTrunk] of table) {
    t.equal(legResult(status, desk, { hasRung: rang, cipher: 'none' }).kind, atDesk, `${status} from a phone`);
    t.equal(legResult(status, mobile, { hasRung: rang, cipher: 'none' }).kind, byTrunk, `${status} from a trunk`);
  }
  t.equal(
    tellingResult([
      legResult(404, desk, { hasRung: false, cipher: 'none' }),
      legResult(486, desk, { hasRung: true, cipher: 'none' }),
    ]).kind,
    'busy',
  );
});

void t.test('prompts: meanings become files of ours and nothing else', async (t) => {
  const dir = t.testdir();
  for (const id of [
    'welcome',
    'digit-7',
    'key-pound',
    'letter-b',
    'letter-o',
    'service-cardiology',
    'name-icu',
    'Bad Name',
  ]) {
    const file = path.join(dir, '8000', `${id}.wav`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '');
  }
  const library = new PromptLibrary([dir]);
  const names = (files: readonly string[]): string[] =>
    files.map((file) => path.relative(path.join(dir, '8000'), file));
  const { files, missing } = library.filesFor([
    { say: 'id', id: 'welcome' },
    { say: 'id', id: '../../etc/passwd' },
    { say: 'digits', digits: '7#' },
    { say: 'name', of: 'service', id: 'cardiology', text: 'Cardiology' },
    { say: 'name', of: 'unit', id: 'icu', text: 'ICU' },
    { say: 'name', of: 'unit', id: 'name-icu', text: 'ICU' },
    { say: 'name', of: 'person', id: 'dr-bo', text: 'B/o!' },
  ]);
  t.same(names(files), [
    'welcome.wav',
    'digit-7.wav',
    'key-pound.wav',
    'service-cardiology.wav',
    'name-icu.wav',
    'name-icu.wav',
    'letter-b.wav',
    'letter-o.wav',
  ]);
  t.same(missing, ['../../etc/passwd']);
  t.equal(library.size, 7);
  t.throws(() => new PromptLibrary(['/nowhere-at-all']), /promptsDirs: \/nowhere-at-all/);
});

void t.test('sdp: what the audit wants to know', async (t) => {
  const sdp = (media: string): string =>
    `v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n${media}`;
  t.same(sdpFacts(sdp('m=audio 4000 RTP/AVP 8 0\r\n')), { hasAudio: true, cipher: 'none', codec: 'PCMA' });
  const key = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n';
  t.match(sdpFacts(sdp(`m=audio 4000 RTP/SAVP 111\r\na=rtpmap:111 opus/48000/2\r\n${key}`)), {
    cipher: 'sdes',
    codec: 'opus',
  });
  t.match(sdpFacts(sdp(`m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/SAVP 8\r\n${key}`)), {
    cipher: 'sdes',
    codec: 'PCMA',
  });
  for (const protocol of ['RTP/SAVP', 'UDP/TLS/RTP/SAVPF'])
    t.match(sdpFacts(sdp(`m=audio 4000 ${protocol} 0\r\n`)), { cipher: 'none' }, 'without a key nothing is encrypted');
  for (const name of ['x'.repeat(10_000), '\u001b[2J', '']) {
    const odd = sdp(`m=audio 4000 RTP/AVP 111\r\na=rtpmap:111 ${name}/8000\r\n`);
    t.equal(sdpFacts(odd).codec, 'unknown', 'a name that is none goes into no record');
  }
  t.match(sdpFacts(sdp('a=fingerprint:sha-256 AA\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n')), { cipher: 'dtls' });
  t.match(sdpFacts(sdp('m=audio 0 RTP/AVP 0\r\nm=video 4 RTP/AVP 9\r\n')), { hasAudio: false });
  t.match(sdpFacts('rubbish'), { hasAudio: false });
});

void t.test('a browser is offered DTLS, and a caller is met in the way he offers', async (t) => {
  const at = (protocol: PeerAddress['protocol']): PeerAddress => ({ ip: '10.0.0.9', port: 5060, protocol });
  const offered = (protocol: PeerAddress['protocol'], uri: string, requireSrtp = true) =>
    cipherOffered({ source: at(protocol), uri }, { requireSrtp });
  t.equal(offered('wss', 'sip:a1b2@x9y8z7.invalid;transport=ws'), 'dtls');
  t.equal(offered('ws', 'sip:a1b2@x9y8z7.invalid;transport=ws'), 'dtls', 'behind a proxy that ends TLS');
  t.equal(offered('wss', 'sip:a1b2@x9y8z7.invalid', false), 'dtls', 'it knows nothing else');
  t.equal(offered('wss', 'sip:a1b2@10.0.0.9;transport=ws'), 'sdes');
  t.equal(offered('tls', 'sip:a1b2@x.invalid'), 'sdes');
  t.equal(offered('udp', 'sip:a1b2@10.0.0.9'), 'none');
  const dtls = 'v=0\r\na=fingerprint:sha-256 AA\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n';
  const sdes = 'v=0\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 x\r\n';
  const called = (protocol: PeerAddress['protocol'], offer: string, requireSrtp = true) =>
    callersCipher(at(protocol), offer, { requireSrtp });
  t.equal(called('wss', dtls), 'dtls');
  t.equal(called('udp', dtls), 'dtls', 'it is not shown to phones that could not take it');
  t.equal(called('wss', sdes), 'sdes');
  t.equal(called('wss', ''), 'sdes', 'our offer');
  t.equal(called('udp', sdes), 'none');
  t.equal(called('tls', sdes, false), 'none');
});

void t.test('trunks: known by address and nothing else', async (t) => {
  const options = telephonySchema.shape.trunks.parse({
    carrier: {
      target: 'sip:192.0.2.10:5060;transport=udp',
      allowFrom: ['192.0.2.0/28', '127.0.0.1:5080', '2001:db8::/32'],
    },
    spare: {},
  });
  const trunks = new Trunks(options);
  const from = (ip: string, port = 5060) => trunks.from({ ip, port, protocol: 'udp' });
  t.equal(from('192.0.2.15'), 'carrier');
  t.equal(from('192.0.2.16'), undefined);
  t.equal(from('127.0.0.1', 5080), 'carrier');
  t.equal(from('127.0.0.1', 5081), undefined);
  t.equal(from('2001:db8::5'), 'carrier');
  t.equal(trunks.fault('carrier'), null);
  t.match(trunks.fault('spare'), /: set trunks\.spare\.target/);
  t.match(trunks.fault('constructor'), /no trunk is called constructor: set trunks\.constructor\.target/);
  t.equal(trunks.uriFor('carrier', '+12025550111'), 'sip:+12025550111@192.0.2.10:5060;transport=udp');
  t.throws(() => new Trunks({ x: { ...options['spare']!, allowFrom: ['10.0.0.0/99'] } }), /allowFrom/);
});

void t.test('a trunk counts as silent when it has answered before and misses two questions', (t) => {
  const clock = new VirtualClock();
  let answers: number | 'nothing' | null = 'nothing';
  let asked = 0;
  const watch = new TrunkWatch({
    trunk: 'carrier',
    everyMs: 20_000,
    ask: (_, done) => {
      asked++;
      if (answers !== 'nothing') done(answers);
    },
    clock,
    log: new TestLog(),
  });
  const faultAfter = (ms: number, next = answers): string | null => {
    answers = next;
    clock.advance(ms);
    return watch.fault();
  };
  t.equal(faultAfter(600_000), null, 'many carriers never answer OPTIONS');
  t.equal(faultAfter(30_000, 405), null, 'a refusal is an answer');
  t.equal(faultAfter(600_000, null), null, 'not being able to ask says nothing of the trunk');
  t.equal(faultAfter(24_000, 'nothing'), null, 'one answer may be lost');
  t.match(faultAfter(30_000), /^trunk carrier has not answered for \d+ s$/);
  const before = asked;
  t.match(faultAfter(90_000), /for \d{3} s$/);
  t.equal(asked - before, 10, 'it is asked every 9 s now');
  t.equal(faultAfter(9_000, 200), null, 'it is back');
  watch.close();
  t.equal(clock.pending, 0);
  t.end();
});

void t.test('a phone on hold is not expected to be heard', async (t) => {
  const described = (session: string, audio: string) =>
    [
      'v=0',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      session,
      'm=audio 4000 RTP/AVP 0',
      audio,
      'm=video 0 RTP/AVP 96',
      'a=inactive',
      '',
    ]
      .filter((line, at, all) => line !== '' || at === all.length - 1)
      .join('\r\n');
  for (const [session, audio, isExpected] of [
    ['', '', true],
    ['', 'a=sendrecv', true],
    ['', 'a=sendonly', true],
    ['', 'a=recvonly', false],
    ['', 'a=inactive', false],
    ['a=inactive', '', false],
    ['a=inactive', 'a=sendrecv', true],
    ['', 'c=IN IP4 0.0.0.0', false],
    ['a=ice-ufrag:x', 'c=IN IP4 0.0.0.0', true],
  ] as const) {
    t.equal(sendsAudio(described(session, audio)), isExpected, `session ${session}, audio ${audio}`);
  }
});

void t.test('what the called party is shown', async (t) => {
  const options = telephonySchema.parse({
    signalling: { servers: [{ host: '127.0.0.1', secret: 'x' }] },
    media: {
      servers: [{ host: '127.0.0.1', secret: 'x' }],
      promptsDirs: ['/p'],
      promptsRoot: '/p',
      recordings: '/r',
    },
    sip: {},
    trunks: { carrier: { callerId: '+12025550100' }, shy: { assertIdentity: false } },
  });
  const trunks = new Trunks(options.trunks);
  const as = { displayName: 'Ward 4B', number: '2101', urgency: 'stat' } as const;
  t.same(offeredHeaders({ kind: 'extension', extension: '3101' }, as, options, trunks), {
    From: '"Ward 4B" <sip:2101@wardline>',
    'P-Asserted-Identity': '"Ward 4B" <sip:2101@wardline>',
    Priority: 'emergency',
    'Alert-Info': '<urn:alert:priority:high>',
  });
  const outside = offeredHeaders(
    { kind: 'number', e164: '+1', trunk: 'carrier' },
    { ...as, urgency: null },
    options,
    trunks,
  );
  t.same(outside, { From: '<sip:+12025550100@wardline>', 'P-Asserted-Identity': '<sip:+12025550100@wardline>' });
  const shy = offeredHeaders({ kind: 'number', e164: '+1', trunk: 'shy' }, { ...as, urgency: null }, options, trunks);
  t.same(Object.keys(shy), ['From']);
});

void t.test('a contact behind a NAT is reached where its REGISTER came from', async (t) => {
  const source = { ip: '198.51.100.7', port: 40_001, protocol: 'udp' } as const;
  t.equal(nextHop({ uri: 'sip:2101@192.168.1.5:5060', source }), 'sip:198.51.100.7:40001');
  t.equal(nextHop({ uri: 'sip:2101@198.51.100.7:5060', source }), null);
  t.equal(nextHop({ uri: 'sip:2101@192.168.1.5;transport=tcp', source: { ...source, protocol: 'tcp' } }), null);
  const sly = 'sip:2101@192.168.1.5;transport=tcp?Route=%3Csip:evil%3E&Subject=x';
  t.equal(requestUri(sly), 'sip:2101@192.168.1.5;transport=tcp', 'headers stay out of a Request-URI, RFC 3261 19.1.1');
  t.equal(requestUri('sip:why?@192.168.1.5:5070'), 'sip:why?@192.168.1.5:5070', 'a user may have a question mark');
});

void t.test('keys by INFO', async (t) => {
  t.equal(dtmfKeys('application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'), '5');
  t.equal(dtmfKeys('application/dtmf-relay; x=y', 'Duration=1\r\nsignal = 11'), '#');
  t.equal(dtmfKeys('application/dtmf', '*'), '*');
  t.equal(dtmfKeys('application/dtmf-relay', 'Signal=!'), '');
  t.equal(dtmfKeys('application/media_control+xml', '<x/>'), null);
});

void t.test('a phone that retries a wrong password is one line a minute, beside those of other phones', async (t) => {
  const clock = new TestClock();
  const log = new TestLog();
  const challenger = new Challenger({ clock, log });
  t.teardown(() => challenger.close());
  const statuses: number[] = [];
  const response = { send: (status: number) => void statuses.push(status) } as never;
  const from = (ip: string) => ({ ip, port: 5060, protocol: 'udp' }) as const;
  const wrong = (extension: string | null, ip = '10.0.0.7') =>
    challenger.refuse(response, { kind: 'challenge', challenges: [], failed: { extension } }, from(ip));
  for (let i = 0; i < 50; i++) wrong('2101');
  wrong('2102');
  wrong('2101', '10.0.0.8');
  wrong(null);
  t.equal(log.lines.length, 4);
  clock.advance(60_000);
  t.match(log.lines.slice(4), [{ words: 'wrong password', fields: { ip: '10.0.0.7', extension: '2101', times: 49 } }]);
  t.equal(log.lines.length, 5);
  t.same(statuses, Array(53).fill(401), 'each was answered');
});

void t.test('calls go by weight to servers that are up and not draining', async (t) => {
  const server = (name: string, weight: number, how: { isUp?: boolean; isDraining?: boolean } = {}) => {
    const { isUp = true, isDraining = false } = how;
    return { name, weight, isDraining, health: { isUp } };
  };
  /** How often each is chosen when every number is drawn once. */
  const shares = (servers: readonly ReturnType<typeof server>[], of: number) => {
    const many: Record<string, number> = {};
    for (let drawn = 0; drawn < of; drawn += 1) {
      const chosen = chooseServer(servers, { below: (below) => drawn % below, bytes: () => new Uint8Array() });
      many[chosen?.name ?? 'none'] = (many[chosen?.name ?? 'none'] ?? 0) + 1;
    }
    return many;
  };
  t.same(shares([server('a', 3), server('b', 1)], 4), { a: 3, b: 1 });
  t.same(shares([server('a', 3, { isUp: false }), server('b', 1)], 4), { b: 4 }, 'one that is down is skipped');
  t.same(shares([server('a', 3, { isDraining: true }), server('b', 1)], 4), { b: 4 }, 'so is one that drains');
  t.same(shares([server('a', 3), server('reserve', 0)], 3), { a: 3 }, 'a reserve takes nothing');
  t.same(
    shares([server('a', 3, { isUp: false }), server('r1', 0), server('r2', 0)], 4),
    { r1: 2, r2: 2 },
    'until it must',
  );
  t.same(shares([server('a', 3, { isUp: false }), server('b', 1, { isDraining: true })], 2), { none: 2 });
  t.same(shares([], 1), { none: 1 });
});
