/** How `wardline doctor` asks signalling and media servers, in their own protocols. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { askForAll, askMediaServer } from '../../src/cli/ask-media-server.ts';
import { askBySip } from '../../src/cli/ask-by-sip.ts';
import { askSignallingServer } from '../../src/cli/ask-signalling-server.ts';
import { secretFault } from '../../src/cli/doctor/bad-secrets.ts';
import { Daemon, portOf } from '../support/daemon.ts';
import { SECRET, startMediad } from '../support/mediad-process.ts';

/** Somebody on a port who says `lines`, one for each thing it is told, and counts who came. */
async function somebody(t: Test, ...lines: readonly string[]) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    const left = [...lines];
    const say = () => {
      const line = left.shift();
      if (line === '') socket.end();
      else if (line !== undefined) socket.write(line);
    };
    socket.on('error', () => {});
    socket.on('data', say);
    say();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

void t.test('mediad answers with its status, to the right secret only', async (t) => {
  const mediad = await startMediad();
  t.teardown(() => mediad.stop());
  const ask = (secret: string) => askMediaServer('127.0.0.1', mediad.eventSocketPort, secret, 5000);
  t.match(await ask(SECRET), { kind: 'answers', says: /^UP 0 years, 0 days/ });
  t.match(await ask('wrong'), { kind: 'silent', why: /does not take our secret|closed the connection/ });
  t.match(await ask(SECRET), { kind: 'answers' }, 'and is not offended');
});

void t.test('whatever else is on the port is asked once, and for a bounded time', async (t) => {
  const ask = (port: number) => askMediaServer('127.0.0.1', port, SECRET, 200);
  const gone = await somebody(t, '');
  t.match(await ask(gone.port), { kind: 'silent', why: 'it closed the connection' });
  const mute = await somebody(t);
  t.match(await ask(mute.port), { kind: 'silent', why: 'no answer within 200 ms' });
  const half = await somebody(t, 'Content-Type: auth/request\n\n', 'Content-Type: command/reply\nReply-Text: +OK acc');
  t.match(await ask(half.port), { kind: 'silent', why: 'no answer within 200 ms' });
  const refusing = await somebody(
    t,
    'Content-Type: auth/request\n\n',
    'Content-Type: command/reply\nReply-Text: -ERR invalid\n\n',
  );
  t.match(await ask(refusing.port), { kind: 'silent', why: 'it does not take our secret' });
  for (const { sockets } of [gone, mute, half, refusing]) t.equal(sockets.length, 1);

  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  t.match(await ask(port), { kind: 'silent', why: /ECONNREFUSED/ });
});

void t.test(
  'sipd answers a login with the right secret only, and SIP; one that is stopped answers nothing',
  async (t) => {
    const secret = 'a-secret-of-the-signalling-server';
    const sipd = await Daemon.start(t, 'sipd', t.testdir({}), () => ({
      sip: ['udp', 'tcp'].map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 })),
      control: { host: '127.0.0.1', port: 0 },
      secret,
    }));
    const to = { host: '127.0.0.1', port: sipd.ready.control?.port ?? 0, tls: null };
    const [udp, tcp] = (['udp', 'tcp'] as const).map((transport) => {
      return { transport, host: '127.0.0.1', port: portOf(sipd.ready.sip, transport) };
    });
    t.match(await askSignallingServer(to, secret, 5000), {
      kind: 'answers',
      version: /^v0\.\d+\.\d+$/,
      serves: [`udp/127.0.0.1:${udp?.port}`, `tcp/127.0.0.1:${tcp?.port}`],
    });
    t.match(await askSignallingServer(to, 'wrong', 5000), { kind: 'silent', why: 'it does not take our secret' });
    // No app is there: sipd itself says that nobody is served.
    for (const listen of [udp, tcp]) t.match(await askBySip(listen!, 10_000), { kind: 'answers', says: /^\d{3}$/ });

    sipd.freeze();
    t.match(await askSignallingServer(to, secret, 200), { kind: 'silent', why: 'no answer within 200 ms' });
    for (const listen of [udp, tcp]) t.match(await askBySip(listen!, 200), { kind: 'silent', why: /no SIP answer/ });
    await sipd.kill();
    t.match(await askSignallingServer(to, secret, 5000), { kind: 'silent', why: /ECONNREFUSED/ });
  },
);

void t.test('whatever else is on a control port or a SIP address is told from a server', async (t) => {
  const ask = (port: number) => askSignallingServer({ host: '127.0.0.1', port, tls: null }, SECRET, 2000);
  t.match(await ask((await somebody(t, 'SSH-2.0-x\r\n')).port), { why: 'it does not speak the control protocol' });
  t.match(await ask((await somebody(t, '')).port), { kind: 'silent' });
  const web = await somebody(t, '', 'HTTP/1.1 400 Bad Request\r\n\r\n');
  const at = { transport: 'tcp', host: '127.0.0.1', port: web.port } as const;
  t.equal((await askBySip(at, 2000)).kind, 'silent');
  const refusing = await somebody(
    t,
    'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n\n',
  );
  t.match(await askForAll({ host: '127.0.0.1', port: refusing.port }, SECRET, ['status'], 2000), { kind: 'silent' });
});

void t.test('secrets that everybody knows, that are empty or can be guessed', async (t) => {
  for (const bad of ['ClueCon', 'cymru', '1234', '', 'changeme', 'short']) t.type(secretFault(bad), 'string', bad);
  t.equal(secretFault('ClueCon'), 'is the well-known ClueCon');
  t.equal(secretFault('0123456789abcdef0123456789abcdef'), null);
});
