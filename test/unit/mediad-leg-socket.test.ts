import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { LegMedia } from '../../src/mediad/media/leg-media.ts';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import { LegSocket } from '../../src/mediad/media/leg-socket.ts';
import { MediaWorker } from '../../src/mediad/media/media-worker.ts';
import type { Endpoint } from '../../src/mediad/media/messages.ts';
import { until } from '../support/processes.ts';

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

void t.test('a leg that got no port leaves nothing behind', async (t) => {
  const nowhere = {
    bindAddress: '192.0.2.1',
    portsFrom: 0,
    portsTo: 0,
    mediaSilenceMs: 0,
    promptCacheBytes: 1_000_000,
  };
  const worker = new MediaWorker(nowhere, (error) => t.fail(error.message));
  t.teardown(() => worker.close());
  const forgotten: string[] = [];
  worker.forget = (leg) => void forgotten.push(leg);
  const media: LegMedia = new LegMedia(worker, 'x', {
    digitHeard() {},
    silent() {},
    measured() {},
    reported() {},
    failed: () => void media.close(),
  });
  await t.rejects(media.open(), /no RTP port/);
  await until('the leg to be forgotten', () => forgotten.length > 0);
  t.same(forgotten, ['x']);
});

void t.test('a leg that goes wrong ends alone', async (t) => {
  const settings = {
    bindAddress: '127.0.0.1',
    portsFrom: 0,
    portsTo: 0,
    mediaSilenceMs: 0,
    promptCacheBytes: 1_000_000,
  };
  const worker = new MediaWorker(settings, (error) => t.fail(error.message));
  t.teardown(() => worker.close());
  const troubles: string[] = [];
  const leg = (name: string) =>
    new LegMedia(worker, name, {
      digitHeard() {},
      silent() {},
      measured() {},
      reported() {},
      failed: (reason) => void troubles.push(`${name}: ${reason}`),
    });
  const [good, bad] = [leg('good'), leg('bad')];
  await Promise.all([good.open(), bad.open()]);
  const talk = {
    codec: PCMU,
    payloadType: 0,
    events: undefined,
    alsoFrom: [],
    control: undefined,
    noise: undefined,
    srtp: undefined,
    isReceiving: true,
  } as const;
  const peer = await aPeer();
  // Nothing can be sent there: what a description says is looked at before.
  bad.setRemote({ ...talk, sendTo: { address: '127.0.0.1', port: 0 } });
  await until('the bad one to end', () => troubles.length > 0);
  good.setRemote({ ...talk, sendTo: peer.at });
  await once(peer.socket, 'message');
  t.match(troubles, [/^bad: .*ERR_SOCKET_BAD_PORT/]);
  peer.socket.close();
});
