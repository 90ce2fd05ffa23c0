/** Laws of what strangers can send to mediad: descriptions, event socket bytes, RTP. */
import { fc } from '../support/fast-check.ts';
import { mediaLeg, phoneWith } from '../support/media-leg.ts';
import sdpTransform from 'sdp-transform';
import t from 'tap';
import {
  CommandReader,
  commandReply,
  headerBlock,
  MEMBER_LIMITS,
  STRANGER_LIMITS,
} from '../../src/mediad/event-socket/framing.ts';
import { splitArguments } from '../../src/mediad/channel/applications/application.ts';
import { writeRtp } from '../../src/mediad/media/rtp-packet.ts';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import { readWav } from '../../src/mediad/media/files/wav.ts';
import { parseToneScript, ToneSource } from '../../src/mediad/media/tone.ts';
import { answerSdp, type LocalMedia, offerSdp, readAnswer } from '../../src/mediad/sdp/negotiate.ts';
import { newIceCredentials } from '../../src/mediad/ice/ice-lite.ts';
import { newMasterKey } from '../../src/mediad/sdp/crypto-line.ts';
import { parseSdp } from '../../src/mediad/sdp/session-description.ts';

const local: LocalMedia = {
  address: '192.0.2.1',
  port: 20_000,
  controlPort: 20_001,
  sessionId: '1',
  version: 1,
  codecs: { names: ['PCMU', 'PCMA', 'G722', 'OPUS', 'L16'], order: 'offer' },
  security: {
    isRequired: false,
    offers: 'none',
    keyOf: newMasterKey,
    dtls: () => ({ fingerprint: '', role: undefined, ice: newIceCredentials }),
  },
};

const direction = fc.constantFrom('sendrecv', 'sendonly', 'recvonly', 'inactive');
const codec = fc.constantFrom(
  { type: 0, map: 'PCMU/8000' },
  { type: 8, map: 'PCMA/8000' },
  { type: 9, map: 'G722/8000' },
  { type: 111, map: 'opus/48000/2' },
  { type: 96, map: 'PCMU/16000' },
  { type: 101, map: 'telephone-event/8000' },
);
const offer = fc
  .record({
    address: fc.constantFrom('198.51.100.4', '0.0.0.0', '0.1.2.3', '239.1.1.1', '192.0.2.1', '127.0.0.1'),
    port: fc.constantFrom(0, 80, 4000, 20_000, 65_534),
    protocol: fc.constantFrom('RTP/AVP', 'RTP/AVPF', 'RTP/SAVP'),
    codecs: fc.uniqueArray(codec, { minLength: 1, selector: (c) => c.type }),
    direction,
    ptime: fc.option(fc.constantFrom(0, 10, 20, 60, 120, 9000), { nil: undefined }),
    video: fc.boolean(),
    end: fc.constantFrom('\r\n', '\n'),
  })
  .map((o) => ({
    ...o,
    text: [
      'v=0',
      'o=- 1 1 IN IP4 198.51.100.4',
      's=-',
      `c=IN IP4 ${o.address}`,
      't=0 0',
      ...(o.video ? ['m=video 5000 RTP/AVP 96', 'a=rtpmap:96 VP8/90000'] : []),
      `m=audio ${o.port} ${o.protocol} ${o.codecs.map((c) => c.type).join(' ')}`,
      ...o.codecs.map((c) => `a=rtpmap:${c.type} ${c.map}`),
      ...(o.ptime === undefined ? [] : [`a=ptime:${o.ptime}`]),
      `a=${o.direction}`,
      '',
    ].join(o.end),
  }));

void t.test(
  'an answer fits its offer: same lines, one codec of it, the mirrored direction, nobody else as target',
  async (t) => {
    fc.assert(
      fc.property(offer, (o) => {
        const result = answerSdp(o.text, local);
        const usable = o.codecs.find((c) => !c.map.startsWith('telephone-event') && c.map !== 'PCMU/16000');
        const isSpeakable =
          usable !== undefined &&
          o.port >= 1024 &&
          o.protocol !== 'RTP/SAVP' &&
          (o.ptime === undefined || (o.ptime >= 10 && o.ptime <= 120));
        if (!isSpeakable) return result.kind === 'refused';
        if (result.kind === 'refused') return false;
        const { agreed, sdp } = result;
        // Read by a library that is not ours: two mistakes of one author agree with each other.
        const { media, connection } = sdpTransform.parse(sdp);
        if (media.length !== (o.video ? 2 : 1) || (o.video && media[0]!.port !== 0)) return false;
        const audio = media.at(-1)!;
        if (connection?.ip !== local.address || audio.port !== local.port || audio.protocol !== o.protocol)
          return false;
        if (parseSdp(sdp).kind === 'refused') return false;
        const sends = audio.direction === 'sendrecv' || audio.direction === 'sendonly';
        const theyListen = (o.direction === 'sendrecv' || o.direction === 'recvonly') && o.address !== '0.0.0.0';
        const isLoop = (o.address === '192.0.2.1' || o.address === '127.0.0.1') && o.port === local.port;
        const isNobody = ['0.0.0.0', '0.1.2.3', '239.1.1.1'].includes(o.address) || isLoop;
        return (
          agreed.payloadType === usable.type &&
          String(audio.payloads).split(' ')[0] === String(usable.type) &&
          audio.rtp[0]?.codec.toUpperCase() === agreed.codec.name &&
          [10, 20, 60].includes(agreed.codec.ptimeMs) &&
          audio.rtp.some(({ codec }) => codec === 'telephone-event') === (agreed.events !== undefined) &&
          (agreed.events !== undefined) === o.codecs.some((c) => c.type === 101) &&
          sends === theyListen &&
          (!isNobody || agreed.direction === 'inactive' || agreed.direction === 'recvonly')
        );
      }),
      { numRuns: 2000 },
    );
    t.pass();
  },
);

void t.test('our own offer is answered by ourselves, and given back it is a black hole', async (t) => {
  const answered = answerSdp(offerSdp(local), { ...local, address: '192.0.2.9', port: 20_002 });
  t.match(answered, {
    kind: 'answered',
    agreed: { codec: { name: 'PCMU' }, events: { payloadType: 101 }, direction: 'sendrecv' },
  });
  t.match(readAnswer(offerSdp(local), local), { kind: 'agreed', agreed: { direction: 'inactive' } });
});

void t.test('comfort noise is answered to who offers it, for the clock of the codec', async (t) => {
  const offer = (formats: string) =>
    `v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 4000 RTP/AVP ${formats}\r\na=rtpmap:96 CN/16000\r\n`;
  const answer = (formats: string) => answerSdp(offer(formats), { ...local, address: '192.0.2.9', port: 20_002 });
  t.match(answer('0 13'), { sdp: /RTP\/AVP 0 13\r\n[^]*a=rtpmap:13 CN\/8000\r\n/, agreed: { noise: 13 } });
  t.match(answer('0 96'), { sdp: /RTP\/AVP 0\r\n/, agreed: { noise: undefined } });
  t.notMatch(offerSdp(local), /CN\//);
});

void t.test(
  'the ports of RTCP are said where they are not the next ones, and shared where both sides like',
  async (t) => {
    const place = { ...local, address: '192.0.2.9', sessionId: '2' };
    const phone = (attributes: string, port = 4000) =>
      `v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio ${port} RTP/AVP 0\r\n${attributes}`;
    const answer = (offer: string, controlPort = 20_003) => {
      const answered = answerSdp(offer, { ...place, port: 20_002, controlPort });
      return answered.kind === 'answered' ? answered : { sdp: answered.reason, agreed: undefined };
    };
    t.same(answer(phone('')).agreed?.control, { address: '192.0.2.7', port: 4001 });
    t.notMatch(answer(phone('')).sdp, /a=rtcp/);
    t.match(answer(phone(''), 31_007).sdp, /a=rtcp:31007\r\n/);
    t.same(answer(phone('a=rtcp:5007 IN IP4 198.51.100.9\r\n')).agreed?.control, { address: '192.0.2.7', port: 5007 });
    t.same(answer(phone('a=rtcp:80\r\n')).agreed?.control, { address: '192.0.2.7', port: 4001 }, 'no port of a phone');
    t.equal(answer(phone('', 65_535)).agreed?.control, undefined, 'there is no port above');
    const muxed = answer(phone('a=rtcp:4000\r\na=rtcp-mux\r\n'));
    t.equal(muxed.agreed?.control, 'muxed');
    t.match(muxed.sdp, /a=rtcp-mux\r\n/);
    t.match(offerSdp(local), /a=rtcp-mux\r\n/);
  },
);

void t.test('mutants of a description are parsed or refused, quickly and within bounds', async (t) => {
  const piece = fc.oneof(
    fc.constantFrom(
      'm=audio 4000 RTP/AVP 0\r\n',
      'a=rtpmap:0 PCMU/8000\r\n',
      'c=IN IP4 1.2.3.4\r\n',
      'a=ptime:-1\r\n',
      'v=0\r\n',
    ),
    fc.constantFrom(
      `m=audio 1 RTP/AVP ${'0 '.repeat(40)}\r\n`,
      'm=\r\n',
      'a=ptime:99999999999\r\n',
      'c=IN IP6 ::1\r\n',
    ),
    fc.string({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 90 }), (pieces) => {
      const result = parseSdp(`v=0\r\n${pieces.join('')}`);
      answerSdp(pieces.join(''), local);
      return result.kind === 'refused' || result.session.media.every((m) => m.formats.length <= 32);
    }),
    { numRuns: 3000 },
  );
  t.match(parseSdp(`v=0\r\n${'a=x\r\n'.repeat(129)}`), { kind: 'refused' });
  const ptimeOf = (lines: string) => {
    const read = parseSdp(`v=0\r\nm=audio 4000 RTP/AVP 0\r\n${lines}`);
    return read.kind === 'refused' ? read.reason : read.session.media[0]?.ptimeMs;
  };
  t.equal(ptimeOf('a=ptime:40\r\na=maxptime:30\r\n'), 30, 'no longer than it can take');
  t.equal(ptimeOf('a=maxptime:10\r\n'), 10);
  t.equal(ptimeOf('a=maxptime:120\r\n'), 20);
  t.equal(ptimeOf('a=maxptime:0\r\n'), undefined, 'which is no limit');
  t.match(parseSdp(`v=0\r\n${'m=audio 4000 RTP/AVP 0\r\n'.repeat(5)}`), { kind: 'refused' });
  t.match(parseSdp(`v=0\r\n${' '.repeat(17_000)}`), { kind: 'refused' });
});

void t.test('commands come out the same however the bytes are cut', async (t) => {
  const word = fc.stringMatching(/^[a-zA-Z0-9_./:@-]{1,12}$/);
  const command = fc.record({
    line: fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' ')),
    headers: fc.dictionary(fc.constantFrom('Event-UUID', 'call-command', 'x'), word),
    body: fc.option(fc.string({ unit: 'binary', maxLength: 30 }), { nil: undefined }),
    end: fc.constantFrom('\n', '\r\n'),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 5 }), fc.array(fc.nat(40)), (commands, cuts) => {
      const bytes = Buffer.concat(commands.map((c) => encodeCommand(c)));
      const reader = new CommandReader(MEMBER_LIMITS);
      const read = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = cuts.length === 0 ? bytes.length : cuts[i % cuts.length]! + 1;
        read.push(...reader.read(bytes.subarray(at, at + size)));
        at += size;
      }
      return (
        !reader.isBroken &&
        read.length === commands.length &&
        read.every((r, i) => r.line === commands[i]!.line && r.body === (commands[i]!.body ?? '').toWellFormed())
      );
    }),
    { numRuns: 500 },
  );
  t.pass();
});

function encodeCommand(c: {
  line: string;
  headers: Record<string, string>;
  body: string | undefined;
  end: string;
}): Buffer {
  const body = Buffer.from(c.body ?? '');
  const headers = Object.entries(c.headers).map(([name, value]) => `${name}: ${value}${c.end}`);
  const length = c.body === undefined ? '' : `Content-Length: ${body.length}${c.end}`;
  return Buffer.concat([Buffer.from(`${c.end}${c.line}${c.end}${headers.join('')}${length}${c.end}`), body]);
}

void t.test('a length is an unsigned decimal within bounds, or the connection ends', async (t) => {
  for (const length of ['-1', '0x10', '1e9', '4294967328', '5,5', '5 5', '+5', '', '99999999', '1048577']) {
    const reader = new CommandReader(MEMBER_LIMITS);
    t.same([...reader.read(Buffer.from(`api x\nContent-Length: ${length}\n\nhello`))], [], length);
    t.ok(reader.isBroken, length);
  }
  const stranger = new CommandReader(STRANGER_LIMITS);
  t.same([...stranger.read(Buffer.alloc(2000, 'a'))], []);
  t.ok(stranger.isBroken, 'a stranger does not fill our memory');
  const endless = new CommandReader(MEMBER_LIMITS);
  for (let i = 0; i < 200; i++) void [...endless.read(Buffer.from('a: b\n'))];
  t.ok(endless.isBroken, 'nor with headers without end');
});

void t.test('what we write can be decoded line by line, whatever stands in it', async (t) => {
  const awkward = fc.constantFrom('%', '%zz', '100 %', '%E0%A4', 'a\nReply-Text: +OK', '\r\n\r\n', '\ud800');
  fc.assert(
    fc.property(fc.oneof(awkward, fc.string({ unit: 'binary' })), (text) => {
      const lines = [...headerBlock({ Name: text }).split('\n'), ...commandReply(text, { Extra: text }).split('\n')];
      for (const line of lines) decodeURIComponent(line);
      return lines.length === 2 + 5 && (text === '' || decodeURIComponent(lines[0]!.slice(6)) === text.toWellFormed());
    }),
  );
  t.pass();
});

void t.test('nothing that arrives on an RTP port throws or is answered to a stranger', async (t) => {
  const packet = fc.record({
    payloadType: fc.nat(127),
    marker: fc.boolean(),
    sequence: fc.nat(0xffff),
    timestamp: fc.nat(0xffffffff),
    ssrc: fc.nat(3),
    payload: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  });
  const datagram = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    packet.map(writeRtp),
    packet.map((p) => writeRtp({ ...p, payloadType: 101 })),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(datagram, fc.constantFrom('192.0.2.7', '203.0.113.1')), { maxLength: 50 }),
      (arrivals) => {
        const targets = new Set<string>();
        const leg = mediaLeg((_: Buffer, to: { address: string }) => void targets.add(to.address), 100);
        const phone = phoneWith(PCMU, 0, { address: '192.0.2.7', port: 4000 });
        leg.setRemote({ ...phone, events: { payloadType: 101, clockRate: 8000 } }, 0);
        leg.bridge({
          takes: 'packets',
          push: (frame) => leg.hear(frame.kind === 'quiet' ? frame : { ...frame, codec: { ...PCMU, name: 'PCMA' } }),
          close() {},
        });
        for (const [i, [bytes, address]] of arrivals.entries()) {
          leg.receive(bytes, { address, port: 4000 }, i * 20);
          leg.tick(i * 20);
        }
        leg.close();
        leg.close();
        return !targets.has('203.0.113.1');
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

void t.test('no prompt file, tone script or argument list makes a reader throw or run away', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, text) => {
      readWav(Buffer.from(bytes));
      readWav(Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.from(bytes)]));
      splitArguments(text);
      const script = parseToneScript(text.replaceAll('x', '%(10,0,400);'));
      if (script !== undefined) new ToneSource(script).next(new Int16Array(8000));
    }),
  );
  t.pass();
});
