import t from 'tap';
import { type IncomingRequest, type ProxyOptions, SipEndpoint, type SipResponse } from '../../src/sip/index.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { aPhone, headersOf, type VirtualPhone } from '../support/two-phones.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Alice, a proxy that does as it is told, and as many others as are named. */
async function aProxy(options: Partial<ProxyOptions>, others: number, asked = others) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const told = { finals: [] as SipResponse[], done: [] as number[], offered: [] as IncomingRequest[] };
  const phones: VirtualPhone[] = [];
  for (let i = 0; i <= others; i++) phones.push(await aPhone(clock, network));
  const targets = () => phones.slice(1, 1 + asked).map(({ port }) => `sip:127.0.0.1:${port}`);
  const proxy = await SipEndpoint.open({
    listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    handlers: {
      onRequest: (incoming) => {
        told.offered.push(incoming);
        const all = { targets: targets(), order: 'serial' as const, staysInPath: false, ...options };
        proxy.proxy(incoming, all, {
          onSent() {},
          onFinal: (response) => void told.finals.push(response),
          onDone: (status) => void told.done.push(status),
        });
      },
      onCancelled() {},
      onAck() {},
      onDialogEnded() {},
    },
    clock,
    network,
  });
  const [caller, ...callees] = phones as [VirtualPhone, ...VirtualPhone[]];
  const port = proxy.addresses[0]?.port ?? 0;
  return { clock, network, told, proxy, port, uri: `sip:bob@127.0.0.1:${port}`, alice: caller, bobs: callees };
}

void t.test('a call goes through: Record-Route keeps us in its path, and nobody is asked again', async (t) => {
  const { clock, network, told, port, uri, alice, bobs } = await aProxy({ staysInPath: true }, 1);
  const [bob] = bobs as [VirtualPhone];
  const call = alice.call(uri, { 'X-Story': 'kept', 'Max-Forwards': '10' });
  clock.advance(5);
  const seen = bob.got('INVITE').request;
  t.equal(seen.uri, `sip:127.0.0.1:${bob.port}`, 'our own address in the Request-URI gives way to the target');
  t.equal(seen.headers.get('Max-Forwards'), '9');
  t.equal(seen.headers.list('Via').length, 2);
  t.match(seen.headers.get('Record-Route'), new RegExp(`^<sip:127\\.0\\.0\\.1:${port};lr;wl=[0-9a-f]{32}>$`));
  bob.got('INVITE').respond(180);
  bob.got('INVITE').respond(200);
  clock.advance(5);
  t.same(call.statuses, [180, 200]);
  t.same(told.done, [200]);
  call.dialogs[1]?.ack();
  clock.advance(5);
  t.equal(bob.acks.length, 1, 'the ACK came through');
  t.equal(network.packets.filter(({ what, from }) => what === 'ACK' && from === alice.port).length, 1);
  t.ok(
    network.packets.every(({ from, to }) => from === port || to === port),
    'nothing goes past us',
  );

  bob.got('INVITE').dialog?.bye();
  clock.advance(5);
  alice.got('BYE').respond(200);
  clock.advance(5);
  t.equal(bob.endings[0]?.why, 'byeSent');
  t.equal(told.offered.length, 1, 'the BYE was nobody else’s business');
});

void t.test('who makes up a Route through us is not served', async (t) => {
  const { clock, network, port, uri, alice, bobs } = await aProxy({ staysInPath: true }, 1);
  const [bob] = bobs as [VirtualPhone];
  const victim = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  const spoof = (mark: string) =>
    [
      `BYE sip:victim@127.0.0.1:${victim.local.port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${alice.port};branch=z9hG4bK${mark.length}`,
      `Route: <sip:127.0.0.1:${port};lr${mark}>`,
      ...['From: <sip:a@x>;tag=1', 'To: <sip:b@x>;tag=2', 'Call-ID: made-up', 'CSeq: 1 BYE', 'Content-Length: 0'],
      '\r\n',
    ].join('\r\n');
  const stranger = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  for (const mark of ['', ';wl=0123', `;wl=${'0'.repeat(32)}`]) {
    stranger.send(Buffer.from(spoof(mark)), { host: '127.0.0.1', port });
  }
  // An entry of ours for this very call, that tells of another way onwards.
  alice.call(uri, { 'Call-ID': 'made-up' });
  clock.advance(5);
  const [entry = ''] = bob.got('INVITE').request.headers.list('Record-Route');
  const mark = /;wl=[0-9a-f]+/.exec(entry)?.[0] ?? '';
  const elsewhere = Buffer.from(`udp ${victim.local.port} 127.0.0.1`).toString('base64url');
  const moved = spoof(`${mark};x`).replace('<sip:', `<sip:${elsewhere}@`);
  stranger.send(Buffer.from(moved), { host: '127.0.0.1', port });
  clock.advance(5);
  t.equal(network.sentFrom(port, '481 BYE').length, 4);
  t.notOk(network.packets.some(({ to }) => to === victim.local.port));
});

void t.test('one after another: a failure and silence lead on, the limits are kept', async (t) => {
  const { clock, told, uri, alice, bobs } = await aProxy({ provisionalWithinMs: 2_000, finalWithinMs: 10_000 }, 3);
  const [busy, silent, slow] = bobs as [VirtualPhone, VirtualPhone, VirtualPhone];
  const call = alice.call(uri);
  clock.advance(5);
  t.equal(silent.requests.length, 0, 'not yet');
  busy.got('INVITE').respond(486);
  clock.advance(5);
  t.equal(silent.requests.length, 1);
  // A transaction says 100 by itself after 200 ms, so nothing arrives there any more to be answered.
  silent.endpoint.close();
  clock.advance(2_005);
  slow.got('INVITE').respond(180);
  clock.advance(9_900);
  t.same(told.done, []);
  clock.advance(200);
  t.same(
    slow.cancelled.map(({ method }) => method),
    ['CANCEL'],
    'final timeout',
  );
  clock.advance(10);
  t.same(call.statuses, [180, 486], 'what a target said counts more than what we did to another');
  t.same(told.done, [486]);
  t.same(
    told.finals.map(({ status }) => status),
    [486, 408, 487],
  );
});

void t.test('all at once: the first to answer has the call, the others are cancelled', async (t) => {
  const { clock, told, uri, alice, bobs } = await aProxy({ order: 'simultaneous' }, 3);
  const [one, two, three] = bobs as [VirtualPhone, VirtualPhone, VirtualPhone];
  const call = alice.call(uri);
  clock.advance(5);
  for (const phone of bobs) phone.got('INVITE').respond(180);
  three.got('INVITE').respond(404);
  clock.advance(5);
  two.got('INVITE').respond(200);
  // At the same moment: both answers reach the caller, who ends the one that is late.
  clock.advance(0);
  one.got('INVITE').respond(200);
  clock.advance(20);
  t.same(call.statuses, [180, 180, 180, 200]);
  t.same(told.done, [200]);
  t.equal(one.requests.at(-1)?.request.method, 'BYE', 'the caller ended the second answer');
  t.same(three.cancelled, []);
});

void t.test('6xx speaks for all; challenges are put together; 3xx is followed or not', async (t) => {
  const world = await aProxy({ order: 'simultaneous' }, 3);
  const [one, two] = world.bobs as [VirtualPhone, VirtualPhone, VirtualPhone];
  const call = world.alice.call(world.uri);
  world.clock.advance(5);
  for (const phone of world.bobs) phone.got('INVITE').respond(180);
  one.got('INVITE').respond(603);
  world.clock.advance(20);
  t.same(call.statuses.at(-1), 603);
  t.same(
    two.cancelled.map(({ method }) => method),
    ['CANCEL'],
  );

  const asked = await aProxy({ order: 'simultaneous' }, 2);
  const challenged = asked.alice.call(asked.uri);
  asked.clock.advance(5);
  const [first, second] = asked.bobs as [VirtualPhone, VirtualPhone];
  first.got('INVITE').respond(407, { headers: headersOf({ 'Proxy-Authenticate': 'Digest realm="a"' }) });
  second.got('INVITE').respond(401, { headers: headersOf({ 'WWW-Authenticate': 'Digest realm="b"' }) });
  asked.clock.advance(5);
  const final = challenged.responses.at(-1);
  t.equal(final?.status, 407);
  t.same([final?.headers.get('WWW-Authenticate'), final?.headers.get('Proxy-Authenticate')].map(String), [
    'Digest realm="b"',
    'Digest realm="a"',
  ]);

  for (const followsRedirects of [true, false]) {
    const moved = await aProxy({ followsRedirects }, 2, 1);
    const [old, now] = moved.bobs as [VirtualPhone, VirtualPhone];
    const moving = moved.alice.call(moved.uri);
    moved.clock.advance(5);
    old.got('INVITE').respond(302, { headers: headersOf({ Contact: `<sip:new@127.0.0.1:${now.port}>` }) });
    moved.clock.advance(5);
    now.requests[0]?.respond(404);
    moved.clock.advance(5);
    t.equal(moving.statuses.at(-1), followsRedirects ? 404 : 302);
  }
});

void t.test('the caller gives up: 200, CANCEL to whoever rings, 487 back; a faster 200 wins', async (t) => {
  const { clock, told, uri, alice, bobs } = await aProxy({ order: 'simultaneous' }, 2);
  const call = alice.call(uri);
  clock.advance(5);
  for (const phone of bobs) phone.got('INVITE').respond(180);
  clock.advance(5);
  call.cancel();
  clock.advance(20);
  t.same(call.statuses, [180, 180, 487]);
  t.same(
    bobs.map(({ cancelled }) => cancelled.length),
    [1, 1],
  );
  t.same(told.done, [487]);

  const race = await aProxy({}, 1);
  const [bob] = race.bobs as [VirtualPhone];
  const crossed = race.alice.call(race.uri);
  race.clock.advance(5);
  bob.got('INVITE').respond(180);
  race.clock.advance(5);
  crossed.cancel();
  bob.got('INVITE').respond(200);
  race.clock.advance(20);
  t.same(crossed.statuses, [180, 200]);
});

void t.test('worn out, nowhere to go, nobody there', async (t) => {
  const { clock, uri, alice, bobs, told } = await aProxy({}, 1);
  const worn = alice.call(uri, { 'Max-Forwards': '0' });
  clock.advance(5);
  t.same(worn.statuses, [483]);
  t.same(bobs[0]?.requests, []);
  bobs[0]?.endpoint.close();
  const silent = alice.call(uri);
  clock.advance(33_000);
  t.same(silent.statuses, [408]);
  t.same(told.done, [483, 408]);
  const nowhere = await aProxy({ targets: ['sip:x@127.0.0.1;transport=tcp'] }, 0);
  const lost = nowhere.alice.call(nowhere.uri);
  nowhere.clock.advance(5);
  t.same(lost.statuses, [500], 'RFC 3261 16.7: a 503 would be taken for ours');
  const full = await aProxy({}, 1);
  const refused = full.alice.call(full.uri);
  full.clock.advance(5);
  full.bobs[0]?.got('INVITE').respond(503, { headers: headersOf({ 'Retry-After': '600' }) });
  full.clock.advance(5);
  t.same(refused.statuses, [500]);
  t.notOk(refused.responses[0]?.headers.has('Retry-After'));
});

void t.test('a REGISTER that is passed on carries Path', async (t) => {
  const { clock, uri, port, alice, bobs } = await aProxy(
    { staysInPath: true, headers: headersOf({ 'X-By': 'us' }) },
    1,
  );
  const statuses: number[] = [];
  alice.endpoint.request({ method: 'REGISTER', uri }, { onResponse: ({ status }) => void statuses.push(status) });
  clock.advance(5);
  const seen = bobs[0]?.got('REGISTER').request;
  t.match(seen?.headers.get('Path'), new RegExp(`^<sip:127\\.0\\.0\\.1:${port};lr;`));
  t.equal(seen?.headers.get('Require'), 'path');
  t.equal(seen?.headers.get('X-By'), 'us');
  bobs[0]?.got('REGISTER').respond(200);
  clock.advance(5);
  t.same(statuses, [200]);
});

void t.test('a caller whose Contact leads nowhere is reached where it was heard', async (t) => {
  const { clock, uri, port, alice, bobs } = await aProxy({ staysInPath: true }, 1);
  const [bob] = bobs as [VirtualPhone];
  alice.call(uri, { Contact: '<sip:alice@192.168.7.7:9>' });
  clock.advance(5);
  const entries = bob.got('INVITE').request.headers.list('Record-Route');
  t.equal(entries.length, 2, 'one for each side, for only one of them needs more');
  t.match(entries[1], new RegExp(`^<sip:[\\w-]+@127\\.0\\.0\\.1:${port};lr;wl=[0-9a-f]{32}>$`));
  bob.got('INVITE').respond(200);
  clock.advance(5);
  bob.got('INVITE').dialog?.bye();
  clock.advance(5);
  alice.got('BYE').respond(200);
  clock.advance(5);
  t.equal(bob.endings[0]?.why, 'byeSent');
});

/** A proxy that sends each user somewhere. */
async function aSwitchboard(clock: VirtualClock, network: MemoryNetwork, ways: Record<string, string[]>) {
  const offered: string[] = [];
  const endpoint = await SipEndpoint.open({
    listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    handlers: {
      onRequest: (incoming) => {
        const user = /sip:(\w+)@/.exec(incoming.request.uri)?.[1] ?? '';
        offered.push(user);
        const options = { targets: ways[user] ?? [], order: 'simultaneous' as const, staysInPath: true };
        endpoint.proxy(incoming, options, { onSent() {}, onFinal() {}, onDone() {} });
      },
      onCancelled() {},
      onAck() {},
      onDialogEnded() {},
    },
    clock,
    network,
  });
  return { endpoint, offered, at: (user: string) => `sip:${user}@127.0.0.1:${endpoint.addresses[0]?.port}` };
}

void t.test('what goes in circles is refused, what comes back as something else is not (RFC 5393)', async (t) => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const [alice, bob] = [await aPhone(clock, network), await aPhone(clock, network)];
  const [eastWays, westWays]: Record<string, string[]>[] = [{}, {}] as const;
  const [east, west] = [
    await aSwitchboard(clock, network, eastWays ?? {}),
    await aSwitchboard(clock, network, westWays ?? {}),
  ];
  Object.assign(eastWays ?? {}, {
    ring: [west.at('ring')],
    spiral: [west.at('onwards')],
    home: [`sip:bob@127.0.0.1:${bob.port}`],
    many: [west.at('many'), west.at('more')],
  });
  Object.assign(westWays ?? {}, {
    ring: [east.at('ring')],
    onwards: [east.at('home')],
    many: [east.at('many'), east.at('more')],
    more: [east.at('many'), east.at('more')],
  });
  const circle = alice.call(east.at('ring'));
  clock.advance(200);
  t.same(circle.statuses, [482]);
  t.same([east.offered, west.offered], [['ring'], ['ring']], 'once around');

  const spiral = alice.call(east.at('spiral'));
  clock.advance(50);
  bob.got('INVITE').respond(200);
  clock.advance(50);
  t.same(spiral.statuses, [200]);
  spiral.dialogs[0]?.ack();
  spiral.dialogs[0]?.bye();
  clock.advance(50);
  t.equal(bob.acks.length, 1);
  bob.got('BYE').respond(200);

  const before = network.packets.length;
  const bomb = alice.call(east.at('many'));
  clock.advance(64_000);
  t.equal(bomb.statuses.length, 1);
  const invites = network.packets.slice(before).filter(({ what }) => what === 'INVITE').length;
  t.ok(invites < 60, `${invites} INVITEs for one`);
});

void t.test('no more branches at once than it may have (RFC 5393 5)', async (t) => {
  const { clock, uri, alice, bobs } = await aProxy({ order: 'simultaneous' }, 3);
  const shares = () => bobs.map(({ requests }) => requests.at(-1)?.request.headers.get('Max-Breadth'));
  alice.call(uri);
  clock.advance(5);
  t.same(shares(), ['20', '20', '20']);
  for (const { requests } of bobs) requests.length = 0;
  const call = alice.call(uri, { 'Max-Breadth': '2' });
  clock.advance(5);
  t.same(shares(), ['1', '1', undefined], 'the third has to wait');
  bobs[0]?.got('INVITE').respond(486);
  clock.advance(5);
  t.same(shares(), ['1', '1', '1']);
  bobs[2]?.got('INVITE').respond(200);
  clock.advance(5);
  t.same(call.statuses, [200]);
  const none = alice.call(uri, { 'Max-Breadth': '0' });
  clock.advance(5);
  t.same(none.statuses, [440]);
  const serial = await aProxy({}, 2);
  serial.alice.call(serial.uri, { 'Max-Breadth': '7' });
  serial.clock.advance(5);
  t.equal(serial.bobs[0]?.got('INVITE').request.headers.get('Max-Breadth'), '7', 'one after another each has it all');
});
