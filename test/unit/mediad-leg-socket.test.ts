import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { LegSocket } from '../../src/mediad/media/leg-socket.ts';
import type { Endpoint } from '../../src/mediad/media/messages.ts';

async function aPeer(): Promise<{ socket: Socket; at: Endpoint }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { socket, at: { address: '127.0.0.1', port: socket.address().port } };
}

/** Sends until the other side has it: what is sent while a connection changes may be lost, as RTP may. */
async function insist(send: () => void, arrived: Promise<unknown>): Promise<void> {
  const again = setInterval(send, 2);
  await arrived;
  clearInterval(again);
}

void t.test('a leg may change its mind while it connects, and then hears the new place only', async (t) => {
  const leg = await LegSocket.bind('127.0.0.1', 0);
  const [old, fresh, stranger] = await Promise.all([aPeer(), aPeer(), aPeer()]);
  const heard = new EventEmitter();
  let last: string[] = [];
  leg.onDatagram((datagram) => {
    last.push(datagram.toString());
    heard.emit(datagram.toString());
  });
  const say = (peer: { socket: Socket }, text: string) => peer.socket.send(text, leg.port, '127.0.0.1');
  leg.connect(old.at);
  leg.connect(old.at);
  leg.disconnect();
  leg.connect(fresh.at);
  await insist(() => leg.send(Buffer.from('hello'), fresh.at), once(fresh.socket, 'message'));
  await insist(() => say(fresh, 'fresh'), once(heard, 'fresh'));
  last = [];
  say(old, 'old');
  say(stranger, 'stranger');
  await insist(() => say(fresh, 'end'), once(heard, 'end'));
  t.notOk(last.includes('old') || last.includes('stranger'), last.join());
  leg.disconnect();
  await insist(() => leg.send(Buffer.from('again'), stranger.at), once(stranger.socket, 'message'));
  leg.close();
  leg.close();
  leg.send(Buffer.from('nothing'), stranger.at);
  leg.connect(old.at);
  for (const { socket } of [old, fresh, stranger]) socket.close();
});

void t.test('a port in use is refused by its name', async (t) => {
  const leg = await LegSocket.bind('127.0.0.1', 0);
  t.equal(
    await LegSocket.bind('127.0.0.1', leg.port).catch((error: NodeJS.ErrnoException) => error.code),
    'EADDRINUSE',
  );
  leg.close();
});
