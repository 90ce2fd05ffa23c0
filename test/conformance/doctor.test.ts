/** How `wardline doctor` asks a media server, through modesl. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { askMediaServer } from '../../src/cli/ask-media-server.ts';
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
