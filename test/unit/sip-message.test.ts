import t from 'tap';
import {
  encodeHeaderValue,
  type Flow,
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
import { aMessage, tortureMessages } from '../support/torture-messages.ts';
import { Traffic } from '../../src/sip/transport/traffic.ts';
import { StreamFramer } from '../../src/sip/transport/stream-framer.ts';

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
  for (const [name, text, expected] of tortureMessages) {
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
  // RFC 5118 4.3 and 4.4.
  t.match(parseUri('sip:[2001:db8::10:5070]'), { host: '2001:db8::10:5070', port: undefined });
  t.match(parseUri('sip:[2001:db8::10]:5070'), { host: '2001:db8::10', port: 5070 });
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
    t.same(
      frames.flatMap((frame) => (frame.kind === 'message' ? [frame.bytes.toString()] : [])),
      [one, aMessage()],
      'nothing that came later is written over a message',
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

void t.test('a header name ends at its colon, with blanks and tabs before it and nothing else', (t) => {
  const named = (name: string) => parseMessage(Buffer.from(aMessage({ [name]: 'x' })));
  t.match(named('Subject \t'), { kind: 'message' });
  for (const blank of ['\v', '\f', '\u00a0', '\ufeff', '\u2028']) {
    t.match(named(`Subject${blank}`), { kind: 'refuse', status: 400 }, `U+${blank.charCodeAt(0).toString(16)}`);
  }
  t.end();
});

void t.test('a Contact of * un-registers everybody, and says so', (t) => {
  const register = (contact: string, expires: string) =>
    verdict(
      aMessage({
        start: 'REGISTER sip:127.0.0.1 SIP/2.0',
        CSeq: '7 REGISTER',
        Contact: contact,
        Expires: expires === '' ? undefined : expires,
      }),
    );
  t.equal(register('*', '0'), 'ok');
  t.equal(register('*', '3600'), 400, 'RFC 3261 10.3 step 6');
  t.equal(register('*', ''), 400);
  t.equal(register('*', 'soon'), 400);
  t.equal(register('*, <sip:a@192.0.2.1>', '0'), 400);
  t.equal(register('<sip:a@192.0.2.1>', '3600'), 'ok');
  t.end();
});

void t.test('a tag is found beside parameters that look like something else', (t) => {
  t.equal(tagOf('"a>b;tag=no" <sip:a@b;tag=no>;x="c>d;tag=no";tag=yes'), 'yes');
  t.equal(tagOf('<sip:a@b>;tag=yes;x="c>d"'), 'yes');
  t.equal(tagOf('sip:a@b ; TAG = yes ;x'), 'yes');
  t.equal(tagOf('<sip:a@b;tag=no>;tagged=no'), '');
  t.end();
});

void t.test('Call-ID and tags have nothing in them that would end a word elsewhere', (t) => {
  for (const odd of ['a|b', 'a b', 'a\tb', 'a\u00a0b', 'ä', 'a\x01b']) {
    t.equal(verdict(aMessage({ 'Call-ID': odd })), 400, `Call-ID ${encodeURI(odd)}`);
    t.equal(verdict(aMessage({ From: `<sip:a@b>;tag="${odd}"` })), 400, `From tag ${encodeURI(odd)}`);
    t.equal(verdict(aMessage({ To: `<sip:a@b>;tag="${odd}"` })), 400, `To tag ${encodeURI(odd)}`);
  }
  const word = `-.!%*_+\`'~()<>:\\"/[]?{}=;,#&$^`;
  t.equal(verdict(aMessage({ 'Call-ID': `${word}@${word}` })), 'ok', 'all that RFC 3261 allows, and what phones add');
  t.end();
});

void t.test('strangers name no counters', (t) => {
  const traffic = new Traffic();
  const options = request(aMessage({}).replaceAll('INVITE', 'OPTIONS'));
  for (const method of ['OPTIONS', '2AB', '2zz', 'CONSTRUCTOR', '__proto__'])
    traffic.countReceived({ ...options, method });
  traffic.countSent(Buffer.from('SIP/2.0 200 OK\r\n'), {} as Flow);
  t.same(traffic.received, { OPTIONS: 1, other: 4 });
  t.same(traffic.sent, { '200 other': 1 });
  t.end();
});
