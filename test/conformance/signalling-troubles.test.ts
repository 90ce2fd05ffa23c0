import net from 'node:net';
import t from 'tap';
import { systemClock } from '../../src/engine/index.ts';
import type { Clock } from '../../src/engine/ports.ts';
import { SignallingLink } from '../../src/telephony/signalling-link.ts';
import { OpenInvites } from '../../src/telephony/open-invites.ts';
import { signallingServerSchema } from '../../src/telephony/options.ts';
import { until } from '../support/processes.ts';
import { TestClock, TestLog } from '../support/telephony.ts';

// A signalling server that is none, is not ready, or does not take us: said in words, nothing hangs, nothing crashes.

interface Wrong {
  readonly link: SignallingLink;
  readonly log: TestLog;
  readonly connections: () => number;
}

/** A link to a server that does with each connection what the test says. */
async function aLinkTo(
  t: { teardown(fn: () => unknown): void },
  behaves: (socket: net.Socket) => void,
  clock: Clock = systemClock,
): Promise<Wrong> {
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    behaves(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  const log = new TestLog();
  const options = signallingServerSchema.parse({ name: 'wrong', host: '127.0.0.1', port, secret: 'a secret of tests' });
  const [openInvites] = new OpenInvites(undefined, log).of(['wrong']);
  const link = new SignallingLink(options, { appTag: 'wardline', clock, log, openInvites: openInvites! });
  t.teardown(() => {
    link.close();
    server.close();
  });
  return { link, log, connections: () => connections };
}

function reply(socket: net.Socket, bytes: Buffer, tokens: string): void {
  const id = /#([^|]+)\|/.exec(bytes.toString())?.[1] ?? '';
  const payload = `11111111-2222|response|${id}|${tokens}`;
  socket.write(`${payload.length}#${payload}`);
}

for (const [what, words] of [
  ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['a frame without a length', 'x#hello'],
  ['a frame of a length that is none', '0#'],
  ['an answer that no client knows', '12#a|nonsense|b'],
] as const) {
  void t.test(`${what} at the control port: said so, and tried again`, async (t) => {
    const { link, log, connections } = await aLinkTo(t, (socket) => socket.write(words));
    void link.connect();
    await until('a second try', () => connections() >= 2);
    t.notOk(link.health.isUp);
    t.match(
      log.lines.filter(({ words }) => words === 'signalling server not connected').map(({ fields }) => fields),
      [{ server: 'wrong', why: 'it does not speak the control protocol' }],
    );
  });
}

for (const [what, words] of [
  ['says nothing', ''],
  // Which reads as the beginning of a message of 220 bytes.
  ['is a mail server', '220 mail.example.org ESMTP #1\r\n'],
] as const) {
  void t.test(`a server that takes the connection and ${what}`, async (t) => {
    const clock = new TestClock();
    let isAsked = false;
    const { link, connections } = await aLinkTo(
      t,
      (socket) => {
        socket.write(words);
        socket.on('data', () => {
          isAsked = true;
        });
      },
      clock,
    );
    void link.connect();
    await until('it to be asked', () => isAsked);
    clock.advance(3000);
    clock.advance(3000);
    t.same(link.health, { isUp: false, why: 'it does not answer the greeting' });
    await until('a second try', () => connections() >= 2);
  });
}

void t.test('a wrong secret', async (t) => {
  const { link } = await aLinkTo(t, (socket) => {
    socket.once('data', (bytes) => {
      const id = /#([^|]+)\|/.exec(bytes.toString())?.[1] ?? '';
      const payload = `11111111-2222|response|${id}|NO|incorrect secret`;
      socket.end(`${payload.length}#${payload}`);
    });
  });
  await t.rejects(link.connect(), { message: /wrong .*refused the secret: give the one/ });
  t.match(link.health, { isUp: false, why: /refused the secret|closed/ });
});

void t.test('a server that is still starting is not asked anything, and used when it is ready', async (t) => {
  const asked: string[] = [];
  let tries = 0;
  const { link } = await aLinkTo(t, (socket) => {
    const isReady = ++tries > 2;
    socket.on('data', (bytes) => {
      const said = bytes.toString();
      if (said.includes('|authenticate|')) reply(socket, bytes, `OK|${isReady ? 'udp/127.0.0.1:5060' : ''}|v0.9.10|`);
      else if (!isReady) asked.push(said);
    });
  });
  await link.connect();
  t.equal(tries, 3);
  t.same(link.health, { isUp: true, why: '' });
  t.same(link.serves, ['udp/127.0.0.1:5060']);
  t.same(asked, []);
});
