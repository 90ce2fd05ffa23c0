import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { connect, createServer, type Socket } from 'node:net';
import os from 'node:os';
import { Duplex } from 'node:stream';
import t from 'tap';
import {
  defaultTransportLimits,
  type EndpointHandlers,
  type Flow,
  type IncomingRequest,
  ListenError,
  SipEndpoint,
  type SipResponse,
} from '../../src/sip/index.ts';
import { Traffic } from '../../src/sip/transport/traffic.ts';
import { StreamFlow } from '../../src/sip/transport/stream-flow.ts';
import { until } from '../support/processes.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { aMessage, tortureMessages } from '../support/torture-messages.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function handlers(onRequest: (incoming: IncomingRequest) => void): EndpointHandlers {
  return { onRequest, onCancelled() {}, onAck() {}, onDialogEnded() {} };
}

/** A virtual endpoint that answers every INVITE, and a bare socket that can say anything to it. */
async function aServer(options: { advertisedHost?: string } = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const calls: IncomingRequest[] = [];
  const endpoint = await SipEndpoint.open({
    listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    handlers: handlers((incoming) => {
      calls.push(incoming);
      incoming.respond(200);
    }),
    clock,
    network,
    ...options,
  });
  const port = endpoint.addresses[0]?.port ?? 0;
  const socket = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  const invite = (
    extra: string,
    via = `127.0.0.1:${socket.local.port}`,
    contact = `sip:a@127.0.0.1:${socket.local.port}`,
  ) => {
    const lines = [
      'INVITE sip:b@127.0.0.1 SIP/2.0',
      `Via: SIP/2.0/UDP ${via};branch=z9hG4bK${calls.length}`,
      'From: <sip:a@x>;tag=1',
      'To: <sip:b@x>',
      `Call-ID: ${calls.length}`,
      'CSeq: 1 INVITE',
      `Contact: <${contact}>`,
    ];
    socket.send(Buffer.from(`${lines.join('\r\n')}\r\n${extra}Content-Length: 0\r\n\r\n`), { host: '127.0.0.1', port });
    clock.advance(2);
    const { dialog } = calls.at(-1) ?? {};
    if (dialog === undefined) throw new Error('no dialog');
    return dialog;
  };
  const last = (what: string) => network.packets.findLast((packet) => packet.from === port && packet.what === what);
  return { clock, network, endpoint, socket, invite, last };
}

void t.test('where responses go: rport, received, or the port in the Via', async (t) => {
  const { invite, last, socket, network } = await aServer();
  const other = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  invite('', '10.1.1.1:9999;rport');
  t.equal(last('200 INVITE')?.to, socket.local.port, 'rport: where it came from');
  t.match(last('200 INVITE')?.text, `rport=${socket.local.port};branch`.replace(';branch', ''));
  t.match(last('200 INVITE')?.text, /received=127\.0\.0\.1/);
  invite('', `10.1.1.1:${other.local.port}`);
  t.equal(last('200 INVITE')?.to, other.local.port, 'no rport: the port in the Via');
});

void t.test('where requests in a dialog go: target, source behind NAT, loose and strict routes', async (t) => {
  const { clock, invite, last, socket, network } = await aServer();
  const proxy = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  const me = socket.local.port;
  const bye = (extra: string, contact?: string) => {
    invite(extra, undefined, contact).bye();
    clock.advance(1);
    const packet = last('BYE');
    return {
      to: packet?.to,
      uri: packet?.text.split(' ')[1],
      route: /^Route: (.*)$/m.exec(packet?.text ?? '')?.[1]?.trim(),
    };
  };
  const reachable = `sip:a@127.0.0.1:${proxy.local.port}`;
  t.same(bye('', reachable), { to: proxy.local.port, uri: reachable, route: undefined });
  t.same(bye('', 'sip:a@10.9.9.9:1234'), { to: me, uri: 'sip:a@10.9.9.9:1234', route: undefined }, 'behind NAT');
  const sly = bye('', 'sip:a@10.9.9.9:1234?Route=%3Csip:evil%3E');
  t.equal(sly.uri, 'sip:a@10.9.9.9:1234', 'the headers of a Contact stay out of our requests');
  const loose = `<sip:127.0.0.1:${proxy.local.port};lr>`;
  t.same(bye(`Record-Route: ${loose}, <sip:far;lr>\r\n`, 'sip:a@10.9.9.9'), {
    to: proxy.local.port,
    uri: 'sip:a@10.9.9.9',
    route: loose,
  });
  const strict = `sip:127.0.0.1:${proxy.local.port}`;
  t.same(bye(`Record-Route: <${strict}>\r\n`, 'sip:a@10.9.9.9'), {
    to: proxy.local.port,
    uri: strict,
    route: '<sip:a@10.9.9.9>',
  });
});

void t.test('a next hop by name is looked up; a name that does not exist is a 503', async (t) => {
  const { clock, network, endpoint, socket } = await aServer();
  network.hosts.set('carrier.example', ['127.0.0.1']);
  const answers: SipResponse[] = [];
  const ask = (uri: string, nextHop?: string) =>
    endpoint.request({ method: 'OPTIONS', uri, nextHop }, { onResponse: (response) => void answers.push(response) });
  t.equal(ask('sip:x@y.example', `sip:carrier.example:${socket.local.port}`).kind, 'sent');
  await until('the request', () =>
    network.packets.some((packet) => packet.what === 'OPTIONS' && packet.to === socket.local.port),
  );
  t.equal(ask('sip:x@nowhere.example').kind, 'sent');
  await until('the failure', () => answers.length === 1);
  t.equal(answers[0]?.status, 503);
  t.match(ask('sip:x@127.0.0.1;transport=tcp'), { kind: 'refused', why: 'requested protocol/transport not available' });
  t.match(ask('sips:x@127.0.0.1'), { kind: 'refused', why: 'requested protocol/transport not available' });
  t.match(ask('tel:+1202'), { kind: 'refused' });
  t.match(ask('sip:x@[::1]'), { kind: 'refused' }, 'no IPv6 socket');
  t.match(ask('sip:x@203.0.113.5'), { kind: 'refused' }, 'a loopback socket reaches nobody else');
  t.match(ask(`sip:x@127.0.0.1:${endpoint.addresses[0]?.port}`), {
    kind: 'refused',
    why: 'can not send request to myself',
  });
  clock.advance(1);
});

void t.test('the advertised address is for others, not for this machine', async (t) => {
  const { endpoint } = await aServer({ advertisedHost: 'pbx.example' });
  const local = { host: '10.0.0.5', port: 5060 };
  t.equal(
    endpoint.contactFor({ protocol: 'udp', local, remote: { host: '10.0.0.9', port: 1 } }),
    '<sip:pbx.example:5060>',
  );
  t.equal(
    endpoint.contactFor({ protocol: 'tcp', local, remote: { host: '127.0.0.1', port: 1 } }),
    '<sip:10.0.0.5:5060;transport=tcp>',
  );
});

void t.test('every torture message gets its exact answer on the wire, and the next honest one is served', async (t) => {
  const { clock, network, endpoint, socket } = await aServer();
  const port = endpoint.addresses[0]?.port ?? 0;
  const ask = (text: string): number | undefined => {
    const before = network.packets.length;
    socket.send(Buffer.from(text), { host: '127.0.0.1', port });
    clock.advance(2);
    const answer = network.packets.slice(before + 1).find((packet) => packet.from === port);
    return answer === undefined ? undefined : Number(answer.text.slice(8, 11));
  };
  for (const [name, text, expected] of tortureMessages) {
    const isResponse = text.startsWith('SIP/2.0');
    // wsinv carries a To tag: well formed, and of a dialog that is not ours.
    const served = name.startsWith('wsinv') ? 481 : 200;
    t.equal(ask(text), expected === 'drop' || isResponse ? undefined : expected === 'ok' ? served : expected, name);
    // Its transaction is over before the next one comes; all of them carry the same branch.
    clock.advance(40_000);
    t.equal(ask(aMessage({ Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKprobe' })), 200, 'alive');
    clock.advance(40_000);
  }
  t.same(endpoint.counts, { dialogs: 0, clients: 0, servers: 0 });
});

/** A real endpoint on TCP. Its patience of 60 ms passes only in `inTime`. */
async function aTcpServer(t: { teardown(action: () => void): void }, limits = {}) {
  const clock = new VirtualClock();
  const endpoint = await SipEndpoint.open({
    listen: [{ protocol: 'tcp', host: '127.0.0.1', port: 0 }],
    handlers: handlers((incoming) => void incoming.respond(200)),
    clock,
    limits: { ...defaultTransportLimits, tcpMessageWithinMs: 60, ...limits },
  });
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    endpoint.close();
  });
  const dial = async () => {
    const socket = connect(endpoint.addresses[0]?.port ?? 0, '127.0.0.1');
    sockets.push(socket);
    let heard = '';
    let isClosed = false;
    socket.on('data', (chunk) => (heard += String(chunk)));
    socket.on('close', () => (isClosed = true));
    await once(socket, 'connect');
    return { socket, heard: () => heard, isClosed: () => isClosed };
  };
  /** As `until`, while a millisecond passes with each look. */
  const inTime = (what: string, look: () => boolean) =>
    until(what, () => {
      clock.advance(1);
      return look();
    });
  return { endpoint, dial, inTime };
}

const options = (length: string, extra = '') =>
  `OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK${extra}1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: ${extra}1\r\nCSeq: 1 OPTIONS\r\nContent-Length: ${length}\r\n\r\n`;

void t.test('TCP: keep-alive, byte by byte, half a message, lost framing, too many from one source', async (t) => {
  const { endpoint, dial, inTime } = await aTcpServer(t, { tcpConnectionsPerSource: 4 });
  const phone = await dial();
  phone.socket.write('\r\n\r\n');
  await until('the pong', () => phone.heard() === '\r\n');
  phone.socket.setNoDelay(true);
  for (const byte of options('0', 'a')) phone.socket.write(byte);
  await until('the answer', () => phone.heard().includes('SIP/2.0 200 OK'));

  const slow = await dial();
  slow.socket.write(options('10', 'b'));
  await inTime('the end of patience', () => slow.isClosed());
  t.equal(slow.heard(), '', 'half a message is answered by nothing');
  const mute = await dial();
  await inTime('the end of patience with silence', () => mute.isClosed());

  const broken = await dial();
  broken.socket.write(options('-999', 'c') + options('0', 'd'));
  await inTime('the close', () => broken.isClosed());
  t.match(broken.heard(), /^SIP\/2\.0 400 /);
  t.notMatch(broken.heard(), / 200 /, 'nothing after lost framing is a request');

  for (let i = 0; i < 4; i++) await dial();
  await until('the refusal of the fifth', () => endpoint.transportCounters.tcpRefused === 1);
  phone.socket.write(options('0', 'e'));
  await until('the first phone to be served still', () => phone.heard().split('200 OK').length === 3);
});

void t.test('TCP: a phone whose connection breaks while it rings costs no waiting', async (t) => {
  const { endpoint, inTime } = await aTcpServer(t);
  const phone = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  });
  phone.listen(0, '127.0.0.1');
  await once(phone, 'listening');
  t.teardown(() => phone.close());
  const { port } = phone.address() as { port: number };
  const statuses: number[] = [];
  endpoint.request(
    { method: 'INVITE', uri: `sip:x@127.0.0.1:${port};transport=tcp` },
    { onResponse: (response) => void statuses.push(response.status) },
  );
  await inTime('the failure', () => statuses.length > 0);
  t.same(statuses, [503]);
});

void t.test('TCP: a phone that reads nothing is given up, and the requests to it with it', async (t) => {
  const { endpoint, inTime } = await aTcpServer(t);
  const sockets: Socket[] = [];
  const phone = createServer((socket) => void sockets.push(socket.pause().on('error', () => {})));
  phone.listen(0, '127.0.0.1');
  await once(phone, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    phone.close();
  });
  const { port } = phone.address() as { port: number };
  const statuses: number[] = [];
  const requests = 24;
  for (let i = 0; i < requests; i++) {
    endpoint.request(
      { method: 'MESSAGE', uri: `sip:x@127.0.0.1:${port};transport=tcp`, body: Buffer.alloc(64 * 1024) },
      { onResponse: (response) => void statuses.push(response.status) },
    );
  }
  await inTime('the first to fail', () => statuses.length > 0);
  t.same(new Set(statuses), new Set([503]));
  t.equal(endpoint.counts.clients, requests - statuses.length, 'those that went over a new connection wait');
});

void t.test('a port in use is named with its remedy', async (t) => {
  const listen = [{ protocol: 'udp', host: '::1', port: 0 }] as const;
  const first = await SipEndpoint.open({ listen, handlers: handlers(() => {}) });
  t.teardown(() => first.close());
  const port = first.addresses[0]?.port ?? 0;
  const second = SipEndpoint.open({ listen: [{ protocol: 'udp', host: '::1', port }], handlers: handlers(() => {}) });
  const error = (await second.catch((cause: unknown) => cause)) as ListenError;
  t.ok(error instanceof ListenError);
  t.match(
    error.message,
    `cannot listen on udp/[::1]:${port}: the port is in use by another program. Stop that program or choose another port.`,
  );
});

/** A connection whose far end reads only when told to. */
class StuckSocket extends Duplex {
  readonly connecting = false;
  override _read(): void {}
  override _write(_bytes: Buffer, _encoding: string, _written: () => void): void {}
  destroySoon(): void {
    this.end();
    this.once('finish', () => this.destroy());
  }
}

function aTcpFlow(opensOn?: 'connect') {
  const clock = new VirtualClock();
  const socket = new StuckSocket();
  const messages: string[] = [];
  const at = { host: '127.0.0.1', port: 5060 };
  const flow = new StreamFlow({
    protocol: 'tcp',
    socket: socket as unknown as Socket,
    local: at,
    remote: at,
    clock,
    messageWithinMs: 4_000,
    messageBytes: 65_535,
    traffic: new Traffic(),
    opensOn,
    onMessage: (bytes) => void messages.push(bytes.toString()),
    onBroken() {},
    onClosed() {},
  });
  return { clock, socket, flow, messages };
}

void t.test('TCP: a phone may keep its way open by one line end', (t) => {
  const { clock, socket, flow, messages } = aTcpFlow();
  for (let i = 0; i < 5; i++) {
    socket.emit('data', Buffer.from('\r\n'));
    clock.advance(30_000);
  }
  socket.emit('data', Buffer.from(options('0')));
  t.same([messages.length, flow.isOpen], [1, true]);
  socket.emit('data', Buffer.from('\r'));
  clock.advance(4_000);
  t.equal(flow.isOpen, false, 'half of one is something that has begun');
  t.end();
});

void t.test('TCP: what we have dialled is kept open by pings, and given up when an answer fails to come', (t) => {
  const { clock, socket, flow } = aTcpFlow('connect');
  const sent: string[] = [];
  Object.assign(socket, { write: (bytes: Buffer) => sent.push(bytes.toString()) });
  socket.emit('connect');
  clock.advance(94_000);
  t.same(sent, []);
  clock.advance(1_000);
  t.same(sent, ['\r\n\r\n']);
  clock.advance(500_000);
  t.ok(flow.isOpen, 'a peer that does not know pings is not given up');
  const before = sent.length;
  clock.advance(94_999);
  socket.emit('data', Buffer.from('\r\n'));
  socket.emit('data', Buffer.from('\r\n'));
  t.ok(
    sent.slice(before).every((text) => text === '\r\n\r\n'),
    'two answers are no question',
  );
  clock.advance(300_000);
  t.ok(flow.isOpen, 'nor is a line end an answer that comes when nobody has asked');
  const asked = sent.length;
  for (let i = 0; i < 200 && sent.length === asked; i++) clock.advance(1_000);
  socket.emit('data', Buffer.from('\r\n'));
  clock.advance(300_000);
  t.equal(flow.isOpen, false, 'one that does is');
  t.end();
});

void t.test(
  'TCP: a busy connection may always be in the middle of a message, as long as each is complete in time',
  (t) => {
    const { clock, socket, flow, messages } = aTcpFlow();
    const bytes = options('0');
    const half = bytes.slice(0, 20);
    socket.emit('data', Buffer.from(half));
    for (let i = 1; i <= 5; i++) {
      clock.advance(3_000);
      socket.emit('data', Buffer.from(bytes.slice(20) + half));
    }
    t.same([messages.length, flow.isOpen], [5, true]);
    clock.advance(4_000);
    t.equal(flow.isOpen, false, 'the sixth is not complete in time');
    t.end();
  },
);

void t.test('TCP: a connection that is given up does not wait for a far end that reads nothing', (t) => {
  const { clock, socket, flow } = aTcpFlow();
  flow.send(Buffer.alloc(1000));
  flow.close();
  t.equal(socket.destroyed, false, 'what was said last may still be read');
  clock.advance(4_000);
  t.equal(socket.destroyed, true);
  t.end();
});

void t.test(
  'all addresses of IPv4 and all of IPv6 are two, and whoever comes over one is told an address of its kind',
  async (t) => {
    const sources: Flow[] = [];
    const first = await SipEndpoint.open({
      listen: [{ protocol: 'udp', host: '0.0.0.0', port: 0 }],
      handlers: handlers(() => {}),
    });
    t.teardown(() => first.close());
    const endpoint = await SipEndpoint.open({
      listen: [
        { protocol: 'udp', host: '::', port: first.addresses[0]?.port ?? 0 },
        { protocol: 'tcp', host: '::', port: 0 },
      ],
      handlers: handlers((incoming) => {
        sources.push(incoming.source);
        incoming.respond(200);
      }),
    });
    t.teardown(() => endpoint.close());
    const tcpPort = endpoint.addresses.find(({ protocol }) => protocol === 'tcp')?.port ?? 0;
    const socket = connect(tcpPort, '::1');
    t.teardown(() => socket.destroy());
    socket.write(options('0', 'v6'));
    await until('the request by TCP', () => sources.length === 1);
    t.same(sources[0]?.local, { host: '::1', port: tcpPort });
    const stranger = connect(tcpPort, '127.0.0.1');
    const refusal = (await once(stranger, 'error')) as [NodeJS.ErrnoException];
    t.equal(refusal[0].code, 'ECONNREFUSED');
  },
);

void t.test('the addresses of the machine are not looked up for each datagram', async (t) => {
  const { networkInterfaces } = os;
  let looks = 0;
  t.teardown(() => void (os.networkInterfaces = networkInterfaces));
  t.teardown(() => syncBuiltinESMExports());
  os.networkInterfaces = () => ((looks += 1), networkInterfaces());
  syncBuiltinESMExports();
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const endpoint = await SipEndpoint.open({
    listen: [{ protocol: 'udp', host: '0.0.0.0', port: 0 }],
    handlers: handlers((incoming) => void incoming.respond(200)),
    clock,
    network,
  });
  const phone = await network.bindUdp({ host: '192.0.2.9', port: 0 }, () => {});
  looks = 0;
  for (let i = 0; i < 100; i++) {
    const text = aMessage({ 'Call-ID': `c${i}`, Via: `SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bKn${i}` });
    phone.send(Buffer.from(text), { host: '127.0.0.1', port: endpoint.addresses[0]?.port ?? 0 });
    clock.advance(2);
  }
  t.equal(network.packets.filter((packet) => packet.what === '200 OPTIONS').length, 100);
  t.equal(looks, 0);
});
