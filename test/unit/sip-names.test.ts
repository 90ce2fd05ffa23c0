import t from 'tap';
import { SipEndpoint, type SipResponse } from '../../src/sip/index.ts';
import { RecordCache } from '../../src/sip/names/record-cache.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// RFC 3263: which server a name means, and what happens when one is dead. Time and DNS are of the test.

const handlers = { onCancelled() {}, onAck() {}, onDialogEnded() {} };

/** A caller, and servers that answer 200 unless told otherwise; a server is known by its port. */
async function aWorld(servers: number) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const anEndpoint = (onRequest: Parameters<typeof SipEndpoint.open>[0]['handlers']['onRequest']) =>
    SipEndpoint.open({
      listen: [{ protocol: 'udp', host: '0.0.0.0', port: 0 }],
      handlers: { ...handlers, onRequest },
      clock,
      network,
    });
  const caller = await anEndpoint(() => {});
  const status = new Map<number, number>();
  const ports: number[] = [];
  for (let i = 0; i < servers; i++) {
    const server = await anEndpoint((incoming) => {
      const port = server.addresses[0]?.port ?? 0;
      incoming.respond(status.get(port) ?? 200);
    });
    ports.push(server.addresses[0]?.port ?? 0);
  }
  const answers: [ms: number, status: number][] = [];
  let startedMs = 0;
  const onResponse = ({ status }: SipResponse) => void answers.push([clock.monotonicMs() - startedMs, status]);
  const ask = (uri: string, method = 'OPTIONS') => {
    startedMs = clock.monotonicMs();
    caller.request({ method, uri }, { onResponse });
  };
  /** Ports that requests went to, in order, each once. */
  const tried = () => {
    const from = caller.addresses[0]?.port;
    return [...new Set(network.packets.filter((packet) => packet.from === from).map(({ to }) => to))];
  };
  return { clock, network, caller, ports, status, ask, answers, tried, onResponse };
}
const srv = (port: number, priority = 1, weight = 0) => ({ name: `s${port}.carrier.example`, port, priority, weight });

void t.test('SRV: by priority, then by weight; the addresses of the target count', async (t) => {
  const { clock, network, ports, ask, answers, tried } = await aWorld(3);
  const [first = 0, second = 0, third = 0] = ports;
  for (const port of ports) network.hosts.set(`s${port}.carrier.example`, ['192.0.2.7']);
  network.srv.set('_sip._udp.carrier.example', [srv(third, 30), srv(first, 10), srv(second, 20)]);
  ask('sip:x@carrier.example');
  await clock.pass(10);
  t.same([answers, tried()], [[[2, 200]], [first]]);

  network.srv.set('_sip._udp.even.example', [srv(second, 1, 9), srv(third, 1, 0)]);
  for (let i = 0; i < 60; i++) ask('sip:x@even.example');
  await clock.pass(10);
  const shares = [second, third].map(
    (port) => network.packets.filter(({ to, what }) => to === port && what === 'OPTIONS').length,
  );
  t.equal(shares[0]! + shares[1]!, 60);
  t.ok(shares[0]! > shares[1]! && shares[1]! > 0, `nine to one, or so: ${shares.join(' to ')}`);
});

void t.test(
  'NAPTR says which transport; what we do not speak is passed over; a port in the URI asks for no records',
  async (t) => {
    const { clock, network, ports, ask, answers, tried } = await aWorld(2);
    const [first = 0, second = 0] = ports;
    for (const port of ports) network.hosts.set(`s${port}.carrier.example`, ['192.0.2.7']);
    network.hosts.set('carrier.example', ['192.0.2.7']);
    const naptr = (order: number, service: string, replacement: string) => {
      return { order, preference: 1, flags: 's', service, replacement };
    };
    network.naptr.set('carrier.example', [
      naptr(3, 'SIP+D2U', 'udp.carrier.example'),
      naptr(1, 'SIPS+D2T', 'tls.carrier.example'),
      naptr(2, 'E2U+sip', 'enum.carrier.example'),
    ]);
    network.srv.set('udp.carrier.example', [srv(second)]);
    network.srv.set('_sip._udp.carrier.example', [srv(first)]);
    ask('sip:x@carrier.example');
    await clock.pass(10);
    t.same([answers.length, tried()], [1, [second]]);
    network.asked.length = 0;
    network.hosts.set('direct.example', ['192.0.2.8']);
    ask(`sip:x@direct.example:${first}`);
    await clock.pass(10);
    t.same([answers.length, tried()], [2, [second, first]]);
    t.same(network.asked, ['A direct.example']);
  },
);

void t.test('a server that is silent, or says 503, is passed over, and left alone for half a minute', async (t) => {
  const { clock, network, ports, status, ask, answers, tried } = await aWorld(3);
  const [first = 0, second = 0, third = 0] = ports;
  for (const port of ports) network.hosts.set(`s${port}.carrier.example`, ['192.0.2.7']);
  network.srv.set('_sip._udp.carrier.example', [srv(first, 1), srv(second, 2), srv(third, 3)]);
  network.loses = ({ to }) => to === first;
  status.set(second, 503);
  ask('sip:x@carrier.example', 'INVITE');
  await clock.pass(1_999);
  t.same(tried(), [first]);
  await clock.pass(10);
  t.same([answers, tried()], [[[2_004, 200]], [first, second, third]]);
  ask('sip:x@carrier.example', 'INVITE');
  await clock.pass(10);
  t.same(answers[1], [2, 200], 'the next call waits for nobody');
  network.loses = () => false;
  network.packets.length = 0;
  await clock.pass(31_000);
  ask('sip:x@carrier.example', 'MESSAGE');
  await clock.pass(10);
  t.ok(tried().includes(first), 'it is tried again');
});

void t.test('a call that is taken back goes to no other server', async (t) => {
  const { clock, network, caller, ports, answers, tried, onResponse } = await aWorld(2);
  const [first = 0, second = 0] = ports;
  for (const port of ports) network.hosts.set(`s${port}.carrier.example`, ['192.0.2.7']);
  network.srv.set('_sip._udp.carrier.example', [srv(first, 1), srv(second, 2)]);
  network.loses = ({ to }) => to === first;
  const result = caller.request({ method: 'INVITE', uri: 'sip:x@carrier.example' }, { onResponse });
  await clock.pass(1_000);
  if (result.kind === 'sent') result.outgoing.cancel();
  await clock.pass(1_100);
  t.same([answers.map(([, status]) => status), tried()], [[487], [first]]);
});

void t.test('when all fail the last answer counts; where nobody says anything it is 408', async (t) => {
  const { clock, network, ports, status, ask, answers } = await aWorld(2);
  const [first = 0, second = 0] = ports;
  for (const port of ports) network.hosts.set(`s${port}.carrier.example`, ['192.0.2.7']);
  network.srv.set('_sip._udp.carrier.example', [srv(first, 1), srv(second, 2)]);
  status.set(first, 503).set(second, 486);
  ask('sip:x@carrier.example', 'INVITE');
  await clock.pass(10);
  t.equal(answers.at(-1)?.[1], 486);
  network.loses = () => true;
  ask('sip:x@carrier.example', 'INVITE');
  await clock.pass(40_000);
  t.same(answers.at(-1), [34_000, 408]);
});

void t.test('no call waits longer than half a second for the DNS, and old answers are better than none', async (t) => {
  const { clock, network, ports, ask, answers, tried } = await aWorld(1);
  const [port = 0] = ports;
  network.hosts.set(`s${port}.carrier.example`, ['192.0.2.7']);
  network.srv.set('_sip._udp.carrier.example', [srv(port)]);
  ask('sip:x@carrier.example');
  ask('sip:y@carrier.example');
  await clock.pass(10);
  t.equal(answers.length, 2);
  t.equal(network.asked.filter((question) => question.startsWith('SRV _sip._udp')).length, 1, 'asked once for both');
  await clock.pass(20_000);
  const asked = network.asked.length;
  ask('sip:x@carrier.example');
  await clock.pass(10);
  t.same([answers.length, network.asked.length], [3, asked], 'kept for half a minute');
  network.isDnsSilent = true;
  await clock.pass(600_000);
  ask('sip:x@carrier.example');
  await clock.pass(600);
  t.same(answers[3], [502, 200], 'ten minutes old');
  ask('sip:x@never.seen.example');
  await clock.pass(600);
  t.same(answers[4], [500, 503]);
  t.same(tried(), [port]);
});

void t.test('addresses are kept as long as the DNS says; within bounds, and 30 s where it does not say', async (t) => {
  const clock = new VirtualClock();
  let asked = 0;
  const cacheOf = (ttlMs?: () => Promise<number | undefined>) =>
    new RecordCache(
      clock,
      async () => {
        asked += 1;
        return ['192.0.2.7'];
      },
      ttlMs,
    );
  const keptFor = async (cache: RecordCache<string>) => {
    asked = 0;
    await cache.get('carrier.example');
    await clock.pass(1);
    for (let seconds = 0; seconds <= 7_200; seconds++) {
      await cache.get('carrier.example');
      if (asked > 1) return seconds;
      await clock.pass(1_000);
    }
    return Number.POSITIVE_INFINITY;
  };
  t.equal(await keptFor(cacheOf(async () => 300_000)), 300);
  t.equal(await keptFor(cacheOf(async () => 5_000)), 5);
  t.equal(await keptFor(cacheOf(async () => 0)), 1);
  t.equal(await keptFor(cacheOf(async () => 86_400_000)), 3_600);
  t.equal(await keptFor(cacheOf()), 30);
  t.equal(await keptFor(cacheOf(() => Promise.reject(new Error('ETIMEOUT')))), 30);
});
