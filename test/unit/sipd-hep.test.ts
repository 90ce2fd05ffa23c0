import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { parseMessage, silentLogger } from '../../src/sip/index.ts';
import { hep3 } from '../../src/sipd/hep/hep3.ts';
import { SipdServer, sipdOptionsSchema } from '../../src/sipd/index.ts';
import { until } from '../support/processes.ts';
import { RawApp, secret } from '../support/sipd-and-app.ts';
import { aMessage } from '../support/torture-messages.ts';

/** As the specification of HEP3 says and without our writer: what each chunk of the generic vendor holds. */
function decoded(packet: Buffer): Map<number, Buffer> {
  t.equal(packet.toString('latin1', 0, 4), 'HEP3');
  t.equal(packet[4]! * 256 + packet[5]!, packet.length, 'it says how long it is');
  const chunks = new Map<number, Buffer>();
  let rest = packet.subarray(6);
  while (rest.length > 0) {
    const [vendor, type, length] = [rest[0]! * 256 + rest[1]!, rest[2]! * 256 + rest[3]!, rest[4]! * 256 + rest[5]!];
    if (vendor !== 0 || length < 6 || length > rest.length) throw new Error(`chunk ${vendor} ${type} ${length}`);
    t.notOk(chunks.has(type), `chunk ${type} once`);
    chunks.set(type, rest.subarray(6, length));
    rest = rest.subarray(length);
  }
  return chunks;
}
const hex = (chunks: Map<number, Buffer>) =>
  Object.fromEntries([...chunks].filter(([type]) => type !== 15).map(([type, value]) => [type, value.toString('hex')]));

void t.test('HEP3, byte for byte', (t) => {
  const at = { atMs: 1_700_000_000_250.5, protocol: 'tls', payload: Buffer.from('SIP') } as const;
  const v4 = { from: { host: '192.0.2.10', port: 5060 }, to: { host: '198.51.100.7', port: 65_535 } };
  t.same(hex(decoded(hep3({ ...at, ...v4 }, 0xfedcba98) as Buffer)), {
    1: '02',
    2: '06',
    3: 'c000020a',
    4: 'c6336407',
    7: '13c4',
    8: 'ffff',
    9: '6553f100',
    10: '0003d284',
    11: '01',
    12: 'fedcba98',
  });
  const v6 = { from: { host: '2001:db8::1', port: 1 }, to: { host: '2001:db8::ffff', port: 2 } };
  const six = decoded(hep3({ ...at, ...v6, protocol: 'udp' }, 1) as Buffer);
  t.equal(six.get(1)?.toString('hex'), '0a');
  t.equal(six.get(2)?.toString('hex'), '11');
  t.equal(six.get(5)?.toString('hex'), '20010db8000000000000000000000001');
  t.equal(six.get(6)?.toString('hex'), '20010db800000000000000000000ffff');
  t.equal(six.get(15)?.toString(), 'SIP');
  t.equal(hep3({ ...at, ...v4, payload: Buffer.alloc(65_000) }, 1), undefined, 'no datagram holds it');
  t.equal(hep3({ ...at, ...v4, payload: Buffer.alloc(200_000) }, 1), undefined, 'nor could its length be written');
  t.end();
});

async function mirrored(t: Test, hep: object) {
  const homer = createSocket('udp4');
  const packets: Buffer[] = [];
  homer.on('message', (bytes) => packets.push(bytes));
  homer.bind(0, '127.0.0.1');
  await once(homer, 'listening');
  const options = sipdOptionsSchema.parse({
    sip: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    control: { port: 0 },
    secret,
    ladder: { megabytes: 0 },
    hep: { to: `127.0.0.1:${homer.address().port}`, ...hep },
  });
  const sipd = await SipdServer.open(options, silentLogger);
  const phone = createSocket('udp4');
  phone.bind(0, '127.0.0.1');
  await once(phone, 'listening');
  t.teardown(async () => {
    await sipd.close();
    phone.close();
    homer.close();
  });
  const port = Number(sipd.addresses.sip[0]?.split(':').at(-1));
  // A call of nobody's: it is answered 481.
  const bye = aMessage({
    start: 'BYE sip:2101@127.0.0.1 SIP/2.0',
    CSeq: '7 BYE',
    Via: `SIP/2.0/UDP 127.0.0.1:${phone.address().port};branch=z9hG4bKhep`,
    From: '"Miriam Feldstein" <sip:+12025550147@gw.example>;tag=a1',
    To: '<sip:2101@pbx>;tag=b',
    Authorization: 'Digest username="x", response="cafe1234"',
  });
  phone.send(bye, port, '127.0.0.1');
  await until('both copies', () => packets.length >= 2);
  const [request, answer] = packets.map(decoded);
  return { bye, port, phonePort: phone.address().port, request: request!, answer: answer! };
}

void t.test('Homer gets what comes and what goes, masked', async (t) => {
  const { request, answer, port, phonePort } = await mirrored(t, { node: 42 });
  for (const [chunks, from, to] of [
    [request, phonePort, port],
    [answer, port, phonePort],
  ] as const) {
    t.equal(chunks.get(3)?.join('.'), '127.0.0.1');
    t.equal(chunks.get(7)?.readUInt16BE(0), from);
    t.equal(chunks.get(8)?.readUInt16BE(0), to);
    t.equal(chunks.get(12)?.readUInt32BE(0), 42);
    t.equal(chunks.get(11)?.[0], 1, 'it is SIP');
    const text = chunks.get(15)?.toString() ?? '';
    t.notMatch(text, /Feldstein|0255501|cafe1234/);
    t.match(text, /xxx47@gw\.example>;tag=a1/);
    t.equal(parseMessage(Buffer.from(text)).kind, 'message');
  }
  t.match(request.get(15)?.toString(), /^BYE sip:2101@127\.0\.0\.1 SIP\/2\.0\r\n/);
  t.match(answer.get(15)?.toString(), /^SIP\/2\.0 481 /);
  t.ok(Math.abs((request.get(9)?.readUInt32BE(0) ?? 0) * 1_000 - Date.now()) < 600_000);
});

void t.test('each copy names the port that it really came to or left from', async (t) => {
  const homer = createSocket('udp4');
  const packets: Buffer[] = [];
  homer.on('message', (bytes) => packets.push(bytes));
  homer.bind(0, '127.0.0.1');
  await once(homer, 'listening');
  const trunk = createServer();
  trunk.listen(0, '127.0.0.1');
  await once(trunk, 'listening');
  const options = sipdOptionsSchema.parse({
    sip: ['udp', 'udp', 'tcp'].map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 })),
    control: { port: 0 },
    secret,
    hep: { to: `127.0.0.1:${homer.address().port}` },
  });
  const sipd = await SipdServer.open(options, silentLogger);
  const phone = createSocket('udp4');
  phone.bind(0, '127.0.0.1');
  await once(phone, 'listening');
  const app = await RawApp.open(sipd);
  t.teardown(async () => {
    app.close();
    await sipd.close();
    phone.close();
    homer.close();
    trunk.close();
  });
  const ports = sipd.addresses.sip.slice(0, 2).map((text) => Number(text.split(':').at(-1)));
  for (const [i, port] of ports.entries())
    phone.send(
      aMessage({
        start: 'BYE sip:2101@127.0.0.1 SIP/2.0',
        CSeq: '7 BYE',
        To: '<sip:2101@pbx>;tag=b',
        Via: `SIP/2.0/UDP 127.0.0.1:${phone.address().port};branch=z9hG4bKhep${i}`,
      }),
      port,
      '127.0.0.1',
    );
  const portsOf = (isTcp: boolean) =>
    packets
      .map(decoded)
      .filter((chunks) => chunks.get(2)?.[0] === (isTcp ? 6 : 17))
      .map((chunks) => [chunks.get(7), chunks.get(8)].map((bytes) => bytes?.readUInt16BE(0)));
  await until('the copies of both requests', () => portsOf(false).length >= 4);
  const theirs = phone.address().port;
  const both = ports.flatMap((ours) => [
    [theirs, ours],
    [ours, theirs],
  ]);
  t.same(portsOf(false).toSorted(), both.toSorted());

  const to = (trunk.address() as AddressInfo).port;
  const accepted = once(trunk, 'connection') as Promise<[Socket]>;
  app.send(`m1|authenticate|${secret}|`);
  t.match(await app.reply('m1'), /OK/);
  app.send(
    `m2|sip|||\r\nOPTIONS sip:127.0.0.1:${to};transport=tcp SIP/2.0\r\nFrom: <sip:a@b>\r\nTo: <sip:127.0.0.1:${to}>\r\nCSeq: 1 OPTIONS\r\n\r\n`,
  );
  const [connection] = await accepted;
  t.teardown(() => connection.destroy());
  await until('the copy of what was dialled', () => portsOf(true).length >= 1);
  t.same(portsOf(true)[0], [connection.remotePort, to], 'of the connection, not the one that is listened on');
});

void t.test('in clear only where the configuration says so', async (t) => {
  const { bye, request } = await mirrored(t, { inClear: true });
  t.equal(request.get(15)?.toString(), bye);
});

void t.test('an address that is none is refused in words', (t) => {
  for (const to of ['homer.example:9060', '192.0.2.1', '192.0.2.1:0', '192.0.2.300:9060', '[::1]:70000']) {
    const options = { sip: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }], secret, hep: { to } };
    t.match(sipdOptionsSchema.safeParse(options).error?.message, /must read address:port/, to);
  }
  t.end();
});
