import t from 'tap';
import {
  encodeHeaderValue,
  Headers,
  parseMessage,
  parseNameAddr,
  parseUri,
  parseVia,
  responseTo,
  serialise,
  serialiseUri,
  type SipRequest,
  splitList,
  tagOf,
} from '../../src/sip/index.ts';
import { StreamFramer } from '../../src/sip/transport/stream-framer.ts';

/** A correct OPTIONS; lines given by name replace or add, undefined leaves out. */
function aMessage(changes: Record<string, string | undefined> = {}, body = ''): string {
  const lines: Record<string, string | undefined> = {
    start: 'OPTIONS sip:bob@127.0.0.1 SIP/2.0',
    Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc',
    'Max-Forwards': '70',
    From: '<sip:alice@example.org>;tag=a1',
    To: '<sip:bob@example.org>',
    'Call-ID': 'call1@example.org',
    CSeq: '7 OPTIONS',
    'Content-Length': String(Buffer.byteLength(body)),
    ...changes,
  };
  const fields = Object.entries(lines).filter(([name, value]) => name !== 'start' && value !== undefined);
  return `${[lines.start, ...fields.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n${body}`;
}

/** `ok`, the status of the refusal, or `drop`. */
function verdict(text: string): string | number {
  const result = parseMessage(Buffer.from(text));
  return result.kind === 'refuse' ? result.status : result.kind === 'message' ? 'ok' : 'drop';
}

function request(text: string): SipRequest {
  const result = parseMessage(Buffer.from(text));
  if (result.kind !== 'message' || result.message.kind !== 'request') throw new Error(JSON.stringify(result));
  return result.message;
}

void t.test('what RFC 4475 and RFC 5118 send is served, refused or dropped as the tables say', (t) => {
  const uri = (text: string) => aMessage({ start: `OPTIONS ${text} SIP/2.0` });
  const cases: [string, string, string | number][] = [
    ['a plain request', aMessage(), 'ok'],
    [
      'wsinv: folding, LWS, short forms',
      [
        'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
        'TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8',
        'MaX-fOrWaRdS: 0068',
        'Call-ID: wsinv.ndaksdj@192.0.2.1',
        'Content-Length   : 0',
        'cseq: 0009\r\n  INVITE',
        'Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw',
        's :',
        'NewFangledHeader:   newfangled value\r\n continued newfangled value',
        'v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239',
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33',
        '',
        '',
      ].join('\r\n'),
      'ok',
    ],
    [
      'intmeth: an unknown method',
      aMessage({
        start: "!interesting-Method0123456789_*+`.%indeed'~ sip:1@b.c SIP/2.0",
        CSeq: "1 !interesting-Method0123456789_*+`.%indeed'~",
      }),
      501,
    ],
    ['esc01: escapes in the user', uri('sip:sips%3Auser%40example.com@example.net'), 'ok'],
    ['escnull: %00 in the user', uri('sip:null-%00-null@example.com'), 'ok'],
    [
      'esc02: an escaped method is not that method',
      aMessage({ start: 'RE%47IST%45R sip:b.c SIP/2.0', CSeq: '1 RE%47IST%45R' }),
      501,
    ],
    ['lwsdisp: no space before <', aMessage({ From: 'caller<sip:caller@example.com>;tag=323' }), 'ok'],
    ['dblreq: bytes after the message', `${aMessage()}INVITE sip:joe SIP/2.0\r\n`, 'ok'],
    ['semiuri: a user with parameters', uri('sip:user;par=u%40example.net@example.com'), 'ok'],
    ['transports: any protocol in a Via', aMessage({ Via: 'SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKx' }), 'ok'],
    ['badinv01: stray ; and , in Via', aMessage({ Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,' }), 400],
    ['badinv01: stray ; in Contact', aMessage({ Contact: '"Joe" <sip:joe@example.org>;;;;' }), 400],
    ['clerr: body too short', aMessage({ 'Content-Length': '9999' }), 400],
    ['ncl: negative length', aMessage({ 'Content-Length': '-999' }), 400],
    ['scalar02: CSeq out of range', aMessage({ CSeq: '36893488147419103232 OPTIONS' }), 400],
    ['scalar02: Max-Forwards out of range', aMessage({ 'Max-Forwards': '300' }), 400],
    [
      'scalarlg: a response with such a CSeq',
      aMessage({ start: 'SIP/2.0 503 Service Unavailable', CSeq: '9292394834772304023312 OPTIONS' }),
      'drop',
    ],
    ['quotbal: an open quote', aMessage({ To: '"Mr. J. User <sip:j.user@example.com>' }), 400],
    ['ltgtruri: <> around the Request-URI', uri('<sip:user@example.com>'), 400],
    ['lwsruri: spaces in the Request-URI', uri('sip:user@example.com; lr'), 400],
    ['lwsstart: several spaces', aMessage({ start: 'OPTIONS  sip:user@example.com  SIP/2.0' }), 400],
    ['trws: a space after the version', aMessage({ start: 'OPTIONS sip:user@example.com SIP/2.0  ' }), 400],
    ['baddate: a wrong Date', aMessage({ Date: 'Fri, 01 Jan 2010 16:00:00 EST' }), 'ok'],
    ['regbadct: ? outside <>', aMessage({ Contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }), 400],
    ['badaspec: spaces in the address', aMessage({ To: '"Watson, Thomas" < sip:t.watson@example.org >' }), 400],
    ['baddn: unquoted display name', aMessage({ From: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }), 400],
    ['badvers: SIP/7.0', aMessage({ start: 'OPTIONS sip:t.watson@example.org SIP/7.0' }), 505],
    ['mismatch01: CSeq of another method', aMessage({ CSeq: '8 INVITE' }), 400],
    [
      'mismatch02: unknown method, other CSeq',
      aMessage({ start: 'NEWMETHOD sip:user@example.com SIP/2.0', CSeq: '8 INVITE' }),
      501,
    ],
    ['bigcode: a status above 699', aMessage({ start: 'SIP/2.0 4294967301 better not break the receiver' }), 'drop'],
    ['badbranch: nothing but the cookie', aMessage({ Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }), 400],
    ['insuf: no Call-ID', aMessage({ 'Call-ID': undefined }), 400],
    ['insuf: no From', aMessage({ From: undefined }), 400],
    ['insuf: no Via', aMessage({ Via: undefined }), 'drop'],
    ['unkscm: an unknown scheme', uri('nobodyKnowsThisScheme:totallyopaquecontent'), 416],
    ['novelsc: a scheme that is not ours', uri('soap.beep://192.0.2.103:3002'), 416],
    ['multi01: two Call-IDs', aMessage().replace('Call-ID:', 'Call-ID: other\r\nCall-ID:'), 400],
    ['mcl01: two lengths', aMessage().replace('Content-Length:', 'Content-Length: 5\r\nContent-Length:'), 400],
    ['zeromf: Max-Forwards 0', aMessage({ 'Max-Forwards': '0' }), 'ok'],
    ['unreason: UTF-8 in the reason', aMessage({ start: 'SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять' }), 'ok'],
    ['noreason: an empty reason', aMessage({ start: 'SIP/2.0 100 ' }), 'ok'],
    [
      'inv2543: no branch, no tag, no Max-Forwards',
      aMessage({ Via: 'SIP/2.0/UDP iftgw.example.com', From: '<sip:+13035551111@ift>', 'Max-Forwards': undefined }),
      'ok',
    ],
    ['5118 4.1: an IPv6 reference', uri('sip:user@[2001:db8::10]'), 'ok'],
    ['5118 4.2: IPv6 without brackets', uri('sip:2001:db8::10'), 400],
    ['5118 4.4: IPv6 with a port', uri('sip:[2001:db8::10]:5070'), 'ok'],
    [
      '5118 4.5: received= with brackets',
      aMessage({ Via: 'SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3' }),
      'ok',
    ],
    [
      '5118 4.5: received= without',
      aMessage({ Via: 'SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3' }),
      'ok',
    ],
    ['5118 4.10: three colons', uri('sip:user@[2001:db8:::192.0.2.1]'), 400],
    ['a header smuggled by a lone LF', aMessage({ Subject: 'x\nVia: SIP/2.0/UDP evil' }), 400],
    ['a header line without a colon', aMessage().replace('Max-Forwards: 70', 'Max-Forwards 70'), 400],
    ['odd bytes before the colon', aMessage().replace('Call-ID:', 'Call-ID\x01:'), 400],
    ['201 headers', aMessage().replace('CSeq:', `${'X-A: 1\r\n'.repeat(200)}CSeq:`), 'drop'],
    ['a header of 9 KB', aMessage({ Subject: 'x'.repeat(9_000) }), 400],
    ['a Request-URI of 2 KB', uri(`sip:${'x'.repeat(2_000)}@b.c`), 414],
    [
      'SDP of 17 KB',
      aMessage({ 'Content-Type': 'application/sdp', 'Content-Length': '17000' }, 'v'.repeat(17_000)),
      413,
    ],
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'drop'],
    ['nothing', '\r\n\r\n', 'drop'],
  ];
  for (const [name, text, expected] of cases) {
    t.equal(verdict(text), expected, name);
  }
  t.end();
});

void t.test('headers: compact forms, folding, lists, repeats', (t) => {
  const invite = request(
    aMessage({
      v: 'SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK2',
      o: 'presence',
      Subject: 'one\r\n  two\r\n\tthree',
      Route: '<sip:a;lr>, "x, y" <sip:b,c@d;lr>',
    }).replace('CSeq:', 'm: <sip:1@1.1.1.1>,<sip:2@2.2.2.2>\r\nROUTE: <sip:e;lr>\r\nCSeq:'),
  );
  const { headers } = invite;
  t.equal(headers.get('event'), 'presence');
  t.equal(headers.get('Subject'), 'one two three');
  t.same(headers.lines('Via').length, 2);
  t.same(headers.list('Route'), ['<sip:e;lr>', '<sip:a;lr>', '"x, y" <sip:b,c@d;lr>']);
  t.same(headers.list('Contact').length, 2);
  t.match(serialise(invite).toString(), /\r\nEvent: presence\r\n/);
  t.end();
});

void t.test('one encoder: no value can start another header', (t) => {
  const headers = new Headers().add('Subject', 'a\r\nVia: evil\r\n\r\nbody\0');
  t.equal(headers.get('Subject'), 'a Via: evil body ');
  t.equal(headers.set('Subject', 'b\nc').get('subject'), 'b c');
  t.throws(() => headers.add('Sub\r\nject', 'x'), RangeError);
  t.throws(() => headers.prepend('', 'x'), RangeError);
  t.equal(encodeHeaderValue('Grüße, 世界'), 'Grüße, 世界');
  t.end();
});

void t.test('Content-Length counts bytes, and what is written reads the same', (t) => {
  const body = 'Grüße 世界 \0';
  const message = request(
    aMessage({ 'Content-Length': '999', 'Content-Type': 'text/plain' }).replace(
      '999',
      String(Buffer.byteLength(body)),
    ) + body,
  );
  t.equal(message.body.toString(), body);
  const again = parseMessage(serialise(message));
  t.same(again.kind === 'message' && serialise(again.message), serialise(message));
  t.end();
});

void t.test('a response copies what RFC 3261 8.2.6.2 says', (t) => {
  const response = responseTo(request(aMessage({ v: 'SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK2', Subject: 'no' })), 404, {
    toTag: 'mine',
  });
  const text = serialise(response).toString();
  t.match(
    text,
    /^SIP\/2\.0 404 Not Found\r\nVia: .*\r\nVia: .*\r\nFrom: .*;tag=a1\r\nTo: .*;tag=mine\r\nCall-ID: .*\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n$/,
  );
  t.end();
});

void t.test('addresses', (t) => {
  t.equal(tagOf('"a;tag=no" <sip:x;tag=no@y;tag=no> ; TAG = yes;z'), 'yes');
  t.equal(tagOf('sip:x@y;tag=plain'), 'plain');
  t.equal(tagOf('<sip:x@y>'), '');
  t.equal(tagOf('<sip:x@y>;xtag=1'), '');
  t.same(splitList('a, "b,c" , <d,e>,,f'), ['a', '"b,c"', '<d,e>', 'f']);
  const contact = parseNameAddr('"Dr. \\"A\\"" <sip:a@b;user=phone>;expires=60;+sip.instance="<urn:uuid:1>"');
  t.equal(contact?.uri, 'sip:a@b;user=phone');
  t.equal(contact?.params.get('expires'), '60');
  t.equal(parseNameAddr('sip:a@b;expires=60')?.params.get('expires'), '60', 'without <> it belongs to the header');
  t.equal(parseNameAddr('Ärztin Müller <sip:a@b>')?.displayName, 'Ärztin Müller');
  t.equal(serialiseUri(parseUri('sips:u:p@[::1]:5061;lr;x=1?h=v') as never), 'sips:u:p@[::1]:5061;lr;x=1?h=v');
  for (const bad of [
    'sip:',
    'sip:@h',
    'sip:a@b@c',
    'sip:h:0',
    'sip:h:99999',
    'sip:a b',
    'http:x',
    'sip:h;;',
    'sip:[::1',
  ]) {
    t.equal(parseUri(bad), undefined, bad);
  }
  t.equal(parseVia('SIP / 2.0 / tcp host : 5061 ;branch=x')?.port, 5061);
  t.end();
});

void t.test('a stream is cut at every byte the same way', (t) => {
  const one = aMessage({ 'Content-Type': 'text/plain' }, 'hello');
  const stream = Buffer.from(`\r\n\r\n${one}\r\n${aMessage()}`);
  for (const size of [1, 2, 3, 7, 50, stream.length]) {
    const framer = new StreamFramer();
    const frames = [];
    for (let at = 0; at < stream.length; at += size) frames.push(...framer.push(stream.subarray(at, at + size)));
    t.same(
      frames.map((frame) => frame.kind),
      ['ping', 'message', 'message'],
      `${size} bytes at a time`,
    );
    t.notOk(framer.isMidMessage);
  }
  const broken = new StreamFramer().push(Buffer.from(aMessage({ 'Content-Length': '-1' })));
  t.same(
    broken.map((frame) => frame.kind),
    ['broken'],
  );
  t.same(
    new StreamFramer().push(Buffer.from(aMessage({ 'Content-Length': undefined }))).map((frame) => frame.kind),
    ['broken'],
  );
  t.same(
    new StreamFramer().push(Buffer.alloc(70_000, 65)).map((frame) => frame.kind),
    ['broken'],
  );
  t.end();
});
