import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { fc, runs } from '../support/fast-check.ts';
import t from 'tap';
import {
  findPlain,
  LibraryMessage,
  libraryParser,
  readPlain,
} from '../../src/telephony/client-libraries/lean-messages.ts';
import { leanSrf } from '../../src/telephony/client-libraries/lean-srf.ts';
import { tortureMessages } from '../support/torture-messages.ts';

interface Agent {
  mapServer: Map<Socket, object>;
  wp: { send: (socket: Socket, text: string) => string };
  sendMessage: (this: Agent, socket: Socket, message: LibraryMessage, options?: object) => string;
}

const require = createRequire(import.meta.url);
const Agent = require('drachtio-srf/lib/drachtio-agent.js') as new (handle: () => void) => Agent;
const Wire = require('drachtio-srf/lib/wire-protocol.js') as new (options: object) => Agent['wp'];
const { parseSipMessage: readByLibrary } = libraryParser;
const { sendMessage: sendByLibrary } = Agent.prototype as Agent;
const { getHeaderName: findByLibrary } = LibraryMessage.prototype;
const { send: writeByLibrary } = Wire.prototype as Agent['wp'];

const invite = [
  'INVITE sip:2102@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1:5066;branch=z9hG4bK-1, SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK-2',
  'v: SIP/2.0/TCP 192.0.2.8;branch=z9hG4bK-3',
  'f: "Ana\u00efs" <sip:2101@127.0.0.1>;tag=1',
  'To:<sip:2102@127.0.0.1>',
  'call-ID :  1-2@127.0.0.1',
  'CSEQ: 1 INVITE',
  'X-Room: 4 West',
  'x-room: 5 East',
  'P-Asserted-Identity: <sip:2101@127.0.0.1>',
  'P-Charge-Info: <sip:1@127.0.0.1>',
  'Diversion: <sip:9@127.0.0.1>',
  'Content-Type: application/sdp',
  'Content-Length: 12',
  '',
  'v=0\r\n\r\nt=0 0\r\n',
].join('\r\n');
const answer = 'SIP/2.0 180 Ringing\r\nTo: <sip:2102@127.0.0.1>;tag=2\r\nl: 0\r\n\r\n';
const names = [
  'Call-ID',
  'to',
  'FROM',
  'via',
  'X-Room',
  'x-room',
  'P-Charge-Info',
  'Diversion',
  'RSeq',
  'constructor',
  '',
];

const said = [...tortureMessages.map(([, text]) => text), invite, answer];

/** Of what is said, something is left out, said twice, or put in. */
const spoiled = fc
  .tuple(
    fc.constantFrom(...said),
    fc.array(
      fc.tuple(
        fc.nat(600),
        fc.nat(30),
        fc.constantFrom(
          '',
          '\r\n',
          '\r\n ',
          '\r\n\r\n',
          ':',
          ' ',
          '\t',
          '\r',
          '\u00a0',
          'constructor:1',
          '\r\nX-a: b',
          '%41',
          '99',
          '\u{1f600}',
        ),
      ),
      { maxLength: 4 },
    ),
  )
  .map(([text, cuts]) => cuts.reduce((all, [at, drop, put]) => all.slice(0, at) + put + all.slice(at + drop), text));

t.test('what is read in one pass is what the library reads', (t) => {
  let plain = 0;
  const isSame = (text: string): boolean => {
    const ours = readPlain(text);
    if (ours === undefined) return true;
    plain++;
    return JSON.stringify(ours) === JSON.stringify(readByLibrary(text, true)) && sameNames(text);
  };
  for (const [name, text] of tortureMessages) t.ok(isSame(text), name);
  t.ok(isSame(invite) && isSame(answer));
  t.ok(readPlain(invite), 'an ordinary INVITE is plain');
  t.ok(readPlain(answer), 'so is an answer');
  plain = 0;
  fc.assert(fc.property(spoiled, isSame), { numRuns: runs(10_000) });
  t.ok(plain > 1_000, `${plain} of 10,000 were plain`);
  t.end();
});

function sameNames(text: string): boolean {
  const message = new LibraryMessage(text);
  const asked = Object.keys(message.headers).filter((name) => /^[\w-]+$/.test(name));
  return [...names, ...asked].every((name) => findPlain(message, name) === findByLibrary.call(message, name));
}

/** What goes out, by whose method, with the headers in the order of their names. */
function sent(send: Agent['sendMessage'], message: LibraryMessage, options?: object): unknown {
  const agent = new Agent(() => {});
  let frame = '';
  agent.wp = { send: (_socket, text) => (frame = text) };
  send.call(agent, new Socket(), message, options);
  const [head = '', ...body] = frame.split('\r\n\r\n');
  const [leader, start, ...headers] = head.split('\r\n');
  return { leader, start, headers: headers.sort(), body };
}

t.test('what is sent is what the library sends', (t) => {
  t.notOk(leanSrf('5.0.30'), 'the inside of another version is not touched');
  t.equal((Agent.prototype as Agent).sendMessage, sendByLibrary);
  t.ok(leanSrf());
  t.ok(leanSrf(), 'twice is as good as once');
  const { sendMessage } = Agent.prototype as Agent;
  t.not(sendMessage, sendByLibrary);
  const fresh = (): LibraryMessage => {
    const message = new LibraryMessage();
    message.set({ 'call-id': 'a', from: '<sip:1@a>', to: '<sip:2@a>' });
    return Object.assign(message, { status: 200, reason: 'OK' });
  };
  const several: [LibraryMessage, LibraryMessage, object?][] = [
    [fresh(), fresh()],
    [fresh(), fresh(), {}],
    [fresh(), fresh(), { stackTxnId: 't', stackDialogId: 'd' }],
    [fresh(), fresh(), { stackTxnId: 't', headers: { Contact: '<sip:3@a>', 'Call-ID': 'b', 'X-Room': 7 } }],
    [fresh(), fresh(), { body: 'v=0\r\n\u00e4' }],
    [fresh(), fresh(), { headers: {}, body: '' }],
    [new LibraryMessage(invite), new LibraryMessage(invite), { headers: { f: '<sip:1@b>' }, body: 'v=1' }],
  ];
  for (const [ours, theirs, options] of several)
    t.same(sent(sendMessage, ours, options), sent(sendByLibrary, theirs, options));
  t.equal(JSON.stringify({ message: new LibraryMessage(invite) }), '{"message":"[message]"}');
  t.end();
});

t.test('a frame is what the library writes', (t) => {
  const written: string[] = [];
  const socket = Object.assign(new Socket(), { write: (text: string) => void written.push(text) });
  const wire = new Wire({});
  for (const send of [wire.send, writeByLibrary]) {
    const id = send.call(wire, socket, 'sip||\r\nBYE sip:\u{1f600} SIP/2.0');
    const [length, frame = ''] = (written.at(-1) ?? '').split('#');
    t.equal(Number(length), Buffer.byteLength(frame));
    t.equal(frame, `${id}|sip||\r\nBYE sip:\u{1f600} SIP/2.0`);
    t.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  }
  t.not(wire.send, writeByLibrary);
  t.end();
});

t.test('what is read through the library is the same after it has been made lean', (t) => {
  fc.assert(
    fc.property(spoiled, (text) => {
      const before = attempt(() => readByLibrary(text, true));
      return JSON.stringify(attempt(() => libraryParser.parseSipMessage(text, true))) === JSON.stringify(before);
    }),
    { numRuns: runs(3_000) },
  );
  t.end();
});

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}
