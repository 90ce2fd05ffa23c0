import { fc } from '../support/fast-check.ts';
import t from 'tap';
import { type ParseResult, parseMessage, serialise } from '../../src/sip/index.ts';
import { parseAppMessage } from '../../src/sipd/control/app-message.ts';
import { FrameReader } from '../../src/sipd/control/frame-reader.ts';
import { StreamFramer } from '../../src/sip/transport/stream-framer.ts';

const seeds = [
  `INVITE sip:bob@127.0.0.1;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport\r\nv: SIP/2.0/TCP [::1];branch=z9hG4bK2\r\nRecord-Route: <sip:a;lr>, <sip:b;lr>\r\nMax-Forwards: 70\r\nFrom: "Dr \\"A\\"" <sip:a@b>;tag=1\r\nTo: Bob\r\n <sip:b@c>\r\nCall-ID: 1@x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@1.2.3.4:5060;transport=udp>;expires=1, *\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n`,
  `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n`,
];
/** Pieces that break parsers. */
const nasty = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ';',
  ',',
  '"',
  '<',
  '>',
  ':',
  '@',
  '=',
  '%00',
  '\u{1F600}',
  '\xFF',
  '-1',
  '99999999999999999999',
  'Content-Length: 7\r\n',
  '\r\n\r\n',
  ';'.repeat(20_000),
  '"'.repeat(20_000),
  ' '.repeat(20_000),
  '<'.repeat(20_000),
  'SIP/2.0 ',
];

const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.record({
        at: fc.nat(700),
        cut: fc.nat(40),
        put: fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary', maxLength: 20 })),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([seed, edits]) => {
    let text = seed;
    for (const { at, cut, put } of edits)
      text = text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut);
    return Buffer.from(text);
  });

/** Longer than any honest parse, short enough to notice a backtracking one on a busy machine. */
const tooLongMs = 50;

/** CPU time, so that other programs do not count. */
function timed<T>(action: () => T): { value: T; cpuMs: number } {
  const before = process.cpuUsage();
  const value = action();
  return { value, cpuMs: process.cpuUsage(before).user / 1_000 };
}

void t.test('no mutation makes the parser throw, dawdle, or let a line end through', (t) => {
  const law = fc.property(mutated, (bytes) => {
    const { value, cpuMs } = timed((): ParseResult => parseMessage(bytes));
    if (cpuMs > tooLongMs) throw new Error(`took ${cpuMs} ms`);
    const message = value.kind === 'message' ? value.message : value.kind === 'refuse' ? value.request : undefined;
    message?.headers.forEach((name, header) => {
      if (/[\r\n\0]/.test(header)) throw new Error(`line end in ${name}`);
    });
    // What was accepted is a fixed point: what we pass on, we and everybody else read the same way.
    if (value.kind !== 'message') return;
    const again = parseMessage(serialise(value.message));
    if (again.kind !== 'message') throw new Error(`accepted, then refused: ${JSON.stringify(again)}`);
    if (!serialise(again.message).equals(serialise(value.message))) throw new Error('read differently the second time');
  });
  fc.assert(law, { numRuns: 4_000 });
  t.pass('4,000 mutations');
  t.end();
});

void t.test('no stream makes the framers throw, and cutting it differently changes nothing', (t) => {
  const law = fc.property(fc.array(mutated, { maxLength: 3 }), fc.integer({ min: 1, max: 97 }), (messages, size) => {
    const stream = Buffer.concat(messages);
    const pieces: string[] = [];
    const sliced = new StreamFramer();
    for (let at = 0; at < stream.length; at += size) {
      for (const frame of sliced.push(stream.subarray(at, at + size))) pieces.push(frame.kind);
    }
    const whole = new StreamFramer().push(stream).map((frame) => frame.kind);
    if (pieces.join() !== whole.join()) throw new Error(`${pieces.join()} is not ${whole.join()}`);
  });
  fc.assert(law, { numRuns: 500 });
  t.pass('500 streams');
  t.end();
});

void t.test('no control frame makes the reader throw', (t) => {
  const law = fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), mutated, (chunks, message) => {
    const reader = new FrameReader();
    for (const chunk of chunks) if (reader.push(Buffer.from(chunk), 1_000) === undefined) break;
    parseAppMessage(message);
  });
  fc.assert(law, { numRuns: 1_000 });
  for (const bad of [
    '-1#x',
    '0x10#x',
    '4294967300#x',
    ' 5#hello',
    '5,5#hello',
    '#',
    '0#',
    '1001#',
    'hello',
    '12345678',
  ]) {
    t.equal(new FrameReader().push(Buffer.from(bad), 1_000), undefined, bad);
  }
  t.same(new FrameReader().push(Buffer.from('5#hello5#world3#ab'), 1_000)?.map(String), ['hello', 'world']);
  t.end();
});
