import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { WebSocket } from 'ws';
import {
  type EndpointOptions,
  type IncomingRequest,
  type ListenAddress,
  type Network,
  SipEndpoint,
  systemNetwork,
} from '../../src/sip/index.ts';
import { Authority } from '../support/certificates.ts';
import { until } from '../support/processes.ts';
import { aMessage } from '../support/torture-messages.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Test = { teardown(action: () => void): void };

async function anEndpoint(t: Test, listen: readonly string[], more: Partial<EndpointOptions> = {}) {
  const requests: IncomingRequest[] = [];
  const endpoint = await SipEndpoint.open({
    listen: listen.map((text): ListenAddress => {
      const [protocol, host] = text.split('/');
      return { protocol: protocol as ListenAddress['protocol'], host: host ?? '127.0.0.1', port: 0 };
    }),
    handlers: {
      onRequest: (incoming) => {
        requests.push(incoming);
        incoming.respond(200);
      },
      onCancelled() {},
      onAck() {},
      onDialogEnded() {},
    },
    ...more,
  });
  t.teardown(() => endpoint.close());
  const portOf = (protocol: string) => endpoint.addresses.find((one) => one.protocol === protocol)?.port ?? 0;
  return { endpoint, requests, portOf };
}

/** What a browser does, and what it hears. */
function aBrowser(t: Test, address: string, protocol = 'sip', options: object = {}) {
  const browser = { heard: [] as string[], state: 'new', socket: new WebSocket(address, protocol, options) };
  const { socket } = browser;
  t.teardown(() => socket.terminate());
  socket.on('open', () => (browser.state = 'open'));
  socket.on('close', () => (browser.state = 'closed'));
  socket.on('error', () => (browser.state = 'closed'));
  socket.on('message', (data: Buffer) => browser.heard.push(data.toString()));
  return browser;
}
const overWs = (changes: Record<string, string | undefined> = {}) =>
  aMessage({ Via: 'SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKws', ...changes });

void t.test('WebSocket: requests of a browser, and calls to it over the connection it has opened', async (t) => {
  const { endpoint, requests, portOf } = await anEndpoint(t, ['ws']);
  const browser = aBrowser(t, `ws://127.0.0.1:${portOf('ws')}`);
  await until('it to be open', () => browser.state === 'open');
  browser.socket.send(overWs({ 'Content-Length': undefined }));
  await until('the answer', () => browser.heard.length === 1);
  t.match(browser.heard[0], /^SIP\/2\.0 200 OK\r\nVia: SIP\/2\.0\/WS df7jal23ls0d\.invalid;branch=z9hG4bKws;received/);
  browser.socket.send('\r\n\r\n');
  await until('the pong', () => browser.heard.length === 2);
  t.equal(browser.heard[1], '\r\n');

  const flow = requests[0]!.source;
  t.equal(endpoint.contactFor(flow), `<sip:127.0.0.1:${portOf('ws')};transport=ws>`);
  const statuses: number[] = [];
  const uri = 'sip:x@df7jal23ls0d.invalid;transport=ws';
  endpoint.request({ method: 'MESSAGE', uri, flow }, { onResponse: ({ status }) => void statuses.push(status) });
  await until('the call', () => browser.heard.length === 3);
  t.match(browser.heard[2], /^MESSAGE sip:x@df7jal23ls0d.invalid;transport=ws SIP\/2\.0\r\nVia: SIP\/2\.0\/WS 127/);
  const answer = browser.heard[2]!.replace(/^MESSAGE.*/, 'SIP/2.0 202 Accepted').replace(/(To: .*)/, '$1;tag=b');
  browser.socket.send(Buffer.from(answer));
  await until('the answer to it', () => statuses.length === 1);
  t.same(statuses, [202]);
  const refused = endpoint.request({ method: 'MESSAGE', uri: 'sip:x@127.0.0.1;transport=ws' }, { onResponse() {} });
  t.match(refused, { kind: 'refused' }, 'nobody dials a browser');
  endpoint.request({ method: 'MESSAGE', uri, flow }, { onResponse: ({ status }) => void statuses.push(status) });
  browser.socket.terminate();
  await until('the loss to be told', () => statuses.length === 2);
  t.same(statuses, [202, 503]);
});

void t.test('WebSocket: who does not speak SIP, or comes from a strange page, hears nothing', async (t) => {
  const { portOf } = await anEndpoint(t, ['ws'], { webOrigins: ['https://desk.example.org'] });
  const at = `ws://127.0.0.1:${portOf('ws')}`;
  for (const [protocol, origin] of [
    ['chat', 'https://desk.example.org'],
    ['sip', 'https://evil.example'],
  ] as const) {
    const browser = aBrowser(t, at, protocol, { origin });
    await until(`${protocol} of ${origin} to be refused`, () => browser.state === 'closed');
  }
  const error = await fetch(`http://127.0.0.1:${portOf('ws')}/`).catch((cause: Error) => cause);
  t.ok(error instanceof Error, 'no web page');
  const browser = aBrowser(t, at, 'sip', { origin: 'https://desk.example.org' });
  await until('the desk to be let in', () => browser.state === 'open');
  browser.socket.send('x'.repeat(70_000));
  await until('too much to be too much', () => browser.state === 'closed');
});

void t.test('WSS: the same through TLS', async (t) => {
  const authority = new Authority(t.testdir());
  const { certificate, key } = authority.issue('pbx');
  const tls = {
    certificate: readFileSync(certificate, 'utf8'),
    key: readFileSync(key, 'utf8'),
    clientCertificates: 'ignored',
  } as const;
  const { portOf, requests } = await anEndpoint(t, ['wss'], { tls });
  const browser = aBrowser(t, `wss://127.0.0.1:${portOf('wss')}`, 'sip', { ca: authority.pem });
  await until('it to be open', () => browser.state === 'open');
  browser.socket.send(overWs());
  await until('the answer', () => browser.heard.length === 1);
  t.match(browser.heard[0], /^SIP\/2\.0 200 OK/);
  t.equal(requests[0]?.source.protocol, 'wss');
  const deceived = aBrowser(t, `wss://127.0.0.1:${portOf('wss')}`);
  await until('a browser that does not believe us to leave', () => deceived.state === 'closed');
});

void t.test('while calls are too many, those that come by TCP and by WebSocket are read last too', async (t) => {
  const clock = new VirtualClock();
  const admission = { admits: () => true, mayWait: () => true, screen: () => undefined, malformed() {} };
  const { portOf, requests } = await anEndpoint(t, ['tcp', 'ws'], { clock, admission });
  const invite = (id: string) =>
    aMessage({
      start: 'INVITE sip:a@b.c SIP/2.0',
      'Call-ID': id,
      Via: `SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK${id}`,
      CSeq: '7 INVITE',
    });
  const options = (id: string) => aMessage({ 'Call-ID': id, Via: `SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK${id}` });
  const seen = () => requests.splice(0).map(({ request }) => `${request.method} ${request.headers.get('Call-ID')}`);
  const phone = connect(portOf('tcp'), '127.0.0.1');
  const gone = connect(portOf('tcp'), '127.0.0.1');
  for (const socket of [phone, gone]) t.teardown(() => socket.destroy());
  gone.resume();
  const browser = aBrowser(t, `ws://127.0.0.1:${portOf('ws')}`);
  await until('it to be open', () => browser.state === 'open');

  const isHungUp = once(gone, 'close');
  gone.end(invite('gone') + options('gone'));
  await until('what is no call of who hangs up', () => requests.length === 1);
  phone.write(invite('phone') + options('phone'));
  await until('what is no call of the phone', () => requests.length === 2);
  browser.socket.send(invite('browser'));
  browser.socket.send(options('browser'));
  await until('what is no call of the browser', () => requests.length === 3);
  t.same(seen(), ['OPTIONS gone', 'OPTIONS phone', 'OPTIONS browser']);
  await isHungUp;
  clock.advance(500);
  t.same(
    seen(),
    ['INVITE phone', 'INVITE browser'],
    'however late, for nobody says it again; who has hung up has given up',
  );
});

void t.test('IPv6 beside IPv4, over UDP and TCP: each peer is told an address of its own kind', async (t) => {
  const { endpoint, requests } = await anEndpoint(t, ['udp/127.0.0.1', 'udp/::1', 'tcp/127.0.0.1', 'tcp/::1']);
  for (const { protocol, host, port } of endpoint.addresses) {
    const { endpoint: phone } = await anEndpoint(t, [`${protocol}/${host}`]);
    const shown = host.includes(':') ? `[${host}]` : host;
    const answers: string[] = [];
    phone.request(
      { method: 'INVITE', uri: `sip:x@${shown}:${port};transport=${protocol}` },
      {
        onResponse: (response, { dialog }) => {
          answers.push(response.headers.get('Contact') ?? '');
          dialog?.ack();
        },
      },
    );
    await until(`the answer from ${protocol} ${host}`, () => answers.length === 1);
    t.equal(answers[0], `<sip:${shown}:${port}${protocol === 'tcp' ? ';transport=tcp' : ''}>`);
    t.ok(requests.at(-1)?.request.headers.get('Via')?.includes(shown));
    t.equal(requests.at(-1)?.source.remote.host, host);
  }
});

void t.test('STUN on the SIP port: a phone sees which address its NAT gives it', async (t) => {
  const { endpoint, portOf } = await anEndpoint(t, ['udp/127.0.0.1']);
  const phone = createSocket('udp4');
  t.teardown(() => phone.close());
  phone.bind(0, '127.0.0.1');
  await once(phone, 'listening');
  const heard: Buffer[] = [];
  phone.on('message', (bytes) => heard.push(bytes));
  const stun = (type: number, length = 0) => {
    const bytes = Buffer.alloc(20);
    bytes.writeUInt16BE(type, 0);
    bytes.writeUInt16BE(length, 2);
    bytes.writeUInt32BE(0x2112a442, 4);
    bytes.write('transaction!', 8);
    return bytes;
  };
  const port = portOf('udp');
  for (const other of [stun(0x0011), stun(0x0003), stun(1, 8), stun(1).subarray(0, 19)]) {
    phone.send(other, port, '127.0.0.1');
  }
  phone.send(stun(1), port, '127.0.0.1');
  await until('the answer', () => heard.length > 0);
  const [answer] = heard as [Buffer];
  t.equal(heard.length, 1, 'an indication, a shared secret, a wrong length, too short: nothing');
  t.same([answer.readUInt16BE(0), answer.readUInt16BE(2), answer.length], [0x0101, 12, 32]);
  t.equal(answer.toString('latin1', 8, 20), 'transaction!');
  t.same([answer.readUInt16BE(20), answer.readUInt16BE(22), answer[25]], [0x0020, 8, 1]);
  t.equal(answer.readUInt16BE(26) ^ 0x2112, phone.address().port);
  t.equal(answer.readUInt32BE(28) ^ 0x2112a442, 0x7f000001 ^ 0);
  t.equal(endpoint.transportCounters.stunRequests, 4);
});

void t.test('STUN over IPv6: the address is masked with the transaction too (RFC 5389 15.2)', async (t) => {
  const { stunAnswer } = await import('../../src/sip/transport/stun-answer.ts');
  // RFC 5769 2.3: transaction and mapped address of the sample response.
  const request = Buffer.from('000100002112a442b7e7a701bc34d686fa87dfae', 'hex');
  const answer = stunAnswer(request, { host: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 });
  t.equal(answer?.toString('hex', 20), '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9');
  const mapped = stunAnswer(request, { host: '::ffff:192.0.2.1', port: 1 })?.subarray(28) ?? Buffer.alloc(0);
  const plain = mapped.map((byte, i) => byte ^ (request[4 + i] ?? 0));
  t.equal(Buffer.from(plain).toString('hex'), '00000000000000000000ffffc0000201');
});

/** The real network, where long datagrams do not get through. */
const narrow: Network = { ...systemNetwork, longestDatagramTo: () => 1_300 };

void t.test('what is longer than 1,300 bytes goes by TCP, and by UDP where nobody takes the connection', async (t) => {
  const { endpoint } = await anEndpoint(t, ['udp/127.0.0.1', 'tcp/127.0.0.1'], { network: narrow });
  const seen: string[] = [];
  const phone = createSocket('udp4');
  t.teardown(() => phone.close());
  phone.bind(0, '127.0.0.1');
  await once(phone, 'listening');
  const { port } = phone.address();
  const note = (bytes: Buffer): string => {
    const [start = '', via = ''] = bytes.toString().split('\r\n');
    return `${start.split(' ')[1]} ${via.split(' ')[1]}`;
  };
  phone.on('message', (bytes, from) => {
    seen.push(`by UDP ${note(bytes)}`);
    // Answered, so that it does not come again.
    phone.send(bytes.toString().replace(/^MESSAGE.*/, 'SIP/2.0 200 OK'), from.port, from.address);
  });
  const listener = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => seen.push(`by TCP ${note(bytes)}`));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => listener.close());
  const { port: tcpPort } = listener.address() as { port: number };
  const arrives = async (user: string, at: number, bytes: number, how: string, more = '') => {
    const uri = `sip:${user}@127.0.0.1:${at}${more}`;
    endpoint.request({ method: 'MESSAGE', uri, body: Buffer.alloc(bytes, 'x') }, { onResponse() {} });
    await until(`${user}: ${how}`, () => seen.find((line) => line.includes(` ${uri} `)));
    t.equal(
      seen.find((line) => line.includes(` ${uri} `)),
      `by ${how} ${uri} SIP/2.0/${how}`,
    );
  };
  await arrives('short', port, 100, 'UDP');
  await arrives('believed', port, 1_300, 'UDP', ';transport=udp');
  await arrives('fallen-back', port, 1_300, 'UDP');
  await arrives('long', tcpPort, 1_300, 'TCP');
});

void t.test('in a dialog too, unless nothing but its own address reaches the phone', async (t) => {
  const { portOf, requests } = await anEndpoint(t, ['udp/127.0.0.1', 'tcp/127.0.0.1'], { network: narrow });
  const seen: string[] = [];
  const listener = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => seen.push(`TCP ${bytes.toString('latin1', 0, 4)}`));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => listener.close());
  const { port } = listener.address() as { port: number };
  const phone = createSocket('udp4');
  t.teardown(() => phone.close());
  phone.bind(port, '127.0.0.1');
  await once(phone, 'listening');
  phone.on('message', (bytes) => {
    if (!bytes.toString().startsWith('SIP')) seen.push(`UDP ${bytes.toString('latin1', 0, 4)}`);
  });
  const contacts = [`sip:a@127.0.0.1:${port}`, `sip:a@192.168.7.7:${port}`, `sip:a@127.0.0.1:${port};transport=udp`];
  for (const [i, contact] of contacts.entries()) {
    const invite = [
      'INVITE sip:b@127.0.0.1 SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bKlong${i}`,
      ...['From: <sip:a@x>;tag=1', 'To: <sip:b@x>', `Call-ID: long-${i}`, 'CSeq: 1 INVITE', `Contact: <${contact}>`],
      'Content-Length: 0\r\n\r\n',
    ];
    phone.send(invite.join('\r\n'), portOf('udp'), '127.0.0.1');
    const dialog = await until('the dialog', () => requests[i]?.dialog);
    dialog.request('INFO', { body: Buffer.alloc(1_300, 'x') }, { onResponse() {} });
    await until('the INFO', () => seen.length > 0);
    t.equal(seen[0], i === 0 ? 'TCP INFO' : 'UDP INFO', contact);
    dialog.stop();
    seen.length = 0;
  }
});
