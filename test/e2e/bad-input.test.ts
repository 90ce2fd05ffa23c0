import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Baresip } from '../support/baresip.ts';
import { type CallFacts, House } from '../support/house.ts';
import { notOnDrachtioServer } from '../support/left-out.ts';
import { until } from '../support/processes.ts';
import { heardFor, type Sound } from '../support/sound.ts';

// Whatever strangers send, phones go on. The stranger has an address of its own, as on a network.

const STRANGER = '127.0.1.66';
/** Has an address of its own: whoever has sent garbage is not heard for a while. */
const GUESSER = '127.0.1.68';

const house = await House.start(t, { phones: ['1000', '2101', '2102'] });
const [host, port] = [house.sip.split(':')[0] ?? '', Number(house.sip.split(':')[1])];
const tcpPort = Number(house.sipTcp.split(':')[1]);
const [ward, icu] = (await Promise.all([house.desk(t, '2101', 440), house.desk(t, '2102', 660)])) as [Baresip, Baresip];

/** Sends `perSecond` datagrams until it is stopped; gives the number sent and whatever came back. */
async function flood(
  t: { teardown(fn: () => unknown): void },
  from: string,
  perSecond: number,
  datagram: (i: number) => Buffer,
) {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, from, resolve);
  });
  let sent = 0;
  const answers = new Map<string, number>();
  let bytesBack = 0;
  let bytesSent = 0;
  socket.on('message', (bytes) => {
    bytesBack += bytes.length;
    const status = /^SIP\/2\.0 (\d+)/.exec(bytes.toString('latin1', 0, 20))?.[1] ?? 'other';
    answers.set(status, (answers.get(status) ?? 0) + 1);
  });
  socket.on('error', () => {});
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    for (; sent < due; sent++) {
      const bytes = datagram(sent);
      bytesSent += bytes.length;
      socket.send(bytes, port, host);
    }
  }, 10);
  let isOpen = true;
  const stop = () => {
    clearInterval(timer);
    if (isOpen) socket.close();
    isOpen = false;
  };
  t.teardown(stop);
  return {
    stop: () => {
      stop();
      return { sent, answers, bytesBack, bytesSent, seconds: (performance.now() - startedAt) / 1000 };
    },
    port: socket.address().port,
  };
}

/** Two phones call each other, talk for `seconds`, and neither hears a gap. */
async function goodCall(t: Test, seconds: number): Promise<CallFacts> {
  const [w, i] = [ward.mark(), icu.mark()];
  await Promise.all([ward.nextFile(), icu.nextFile()]);
  await ward.dial(house.uri('2102'));
  await icu.event('CALL_INCOMING', i);
  await icu.accept();
  await ward.event('CALL_ESTABLISHED', w);
  const both = (): [Sound, Sound] => [ward.heard().at(-1)!, icu.heard().at(-1)!];
  await until(
    `${seconds} s of talk without a gap`,
    () => heardFor(both()[0], 660) > seconds && heardFor(both()[1], 440) > seconds,
    (seconds + 10) * 1000,
  );
  await ward.hangUp();
  await icu.event('CALL_CLOSED', i);
  const facts = await house.endedCall();
  t.equal(facts.ending, 'callerHungUp');
  return facts;
}

function pids(): unknown {
  return [house.readyNow()['appPid'], house.readyNow()['pids']];
}
const before = pids();

const flood5s = notOnDrachtioServer(
  'large datagrams fill the receive buffer, which only sipd asks the kernel to enlarge',
);
t.test('garbage, 2,000 datagrams a second for 5 s', flood5s, async (t) => {
  const junk = [
    Buffer.alloc(0),
    Buffer.alloc(1400, 0xff),
    Buffer.from('INVITE sip:x SIP/2.0\r\n\r\n'),
    Buffer.from('\0\r\n:::'),
    Buffer.from(
      'REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP\r\nCSeq: 99999999999 REGISTER\r\nContent-Length: -1\r\n\r\n',
    ),
    Buffer.from(`OPTIONS sip:${'a'.repeat(3000)}@x SIP/2.0\r\n${'X: y\r\n'.repeat(400)}\r\n`),
    Buffer.alloc(8000, 'A'),
  ];
  const stranger = await flood(t, STRANGER, 2000, (i) => junk[i % junk.length]!);
  house.notCompared(await goodCall(t, 5));
  const { sent, seconds, bytesBack, bytesSent } = stranger.stop();
  t.ok(sent / seconds > 1000, `${Math.round(sent / seconds)} datagrams a second were sent`);
  t.ok(bytesBack <= bytesSent, `${bytesBack} bytes came back for ${bytesSent}: nobody is flooded through us`);
});

t.test('wrong passwords, 200 a second, for a user who has a phone', async (t) => {
  const guess = (at: number) => (i: number) => Buffer.from(request(i % 2 === 0 ? 'REGISTER' : 'INVITE', i, at));
  const socketPort = { value: 0 };
  const stranger = await flood(t, GUESSER, 200, (i) => guess(socketPort.value)(i));
  socketPort.value = stranger.port;
  const another = house.desk(t, '2102', 700);
  await goodCall(t, 2);
  const phone = await another;
  const { answers } = stranger.stop();
  t.ok((answers.get('401') ?? 0) > 0, 'strangers are asked for a password');
  t.equal(answers.get('200'), undefined);
  t.comment([...answers].map(([status, times]) => `${status}: ${times}`).join(', '));
  await phone.close();
});

t.test('200 TCP connections that never say a word', async (t) => {
  const sockets: Socket[] = [];
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 200; i++) {
    const socket = connect({ port: tcpPort, host, localAddress: STRANGER });
    socket.on('error', () => {});
    if (i % 2 === 0) socket.write('INVITE sip:2102@x SIP/2.0\r\nVia: ');
    sockets.push(socket);
  }
  const phone = await house.desk(t, '1000', 500, { transport: 'tcp' });
  await goodCall(t, 1);
  await phone.close();
});

const tooMuch = notOnDrachtioServer(
  'one message of 20,000 header lines stops the whole server for seconds; only sipd cuts it off',
);
t.test('a TCP connection that says too much', tooMuch, async (t) => {
  const talker = connect({ port: tcpPort, host, localAddress: '127.0.1.67' });
  t.teardown(() => talker.destroy());
  talker.on('error', () => {});
  const over = new Promise((resolve) => talker.once('close', resolve));
  talker.resume();
  talker.write(`INVITE sip:2102@x SIP/2.0\r\n${'X-Long: y\r\n'.repeat(20_000)}`);
  house.notCompared(await goodCall(t, 1));
  await over;
  t.pass('a message without an end is cut off');
});

t.test('a trunk that is not configured: its phones are skipped, and the record says why', async (t) => {
  await ward.dial(house.uri('7011'));
  await until('nobody to be left', async () => (await house.facts()).has('nobodyAccepted'));
  await ward.hangUp();
  const facts = await house.endedCall();
  const skipped = facts.of('considered').filter(({ verdict }) => verdict === 'skipped');
  t.ok(
    skipped.some(({ because }) => /trunk/i.test(String(because))),
    JSON.stringify(skipped),
  );
  t.match((await house.cli('call', 'show', facts.callId)).out, /carrier/);
});

t.test('after all that', async (t) => {
  t.same(pids(), before, 'no process was lost');
  t.equal((await house.cli('audit', 'verify')).code, 0);
});

function request(method: 'REGISTER' | 'INVITE', i: number, at: number): string {
  const authorization = `Digest username="2102", realm="wardline", nonce="AAAB${i}", uri="sip:wardline", response="${'0'.repeat(32)}", algorithm=MD5, qop=auth, cnonce="x", nc=00000001`;
  return [
    `${method} sip:2101@wardline SIP/2.0`,
    `Via: SIP/2.0/UDP ${GUESSER}:${at};branch=z9hG4bKguess${i}`,
    `From: <sip:2102@wardline>;tag=guess${i}`,
    'To: <sip:2102@wardline>',
    `Call-ID: guess-${i}@${GUESSER}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
    `Contact: <sip:2102@${GUESSER}:${at}>`,
    `Authorization: ${authorization}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
