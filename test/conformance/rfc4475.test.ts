import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '../../src/sip/index.ts';
import { SipdServer, sipdOptionsSchema } from '../../src/sipd/index.ts';
import { until } from '../support/processes.ts';
import { openApp, secret } from '../support/sipd-and-app.ts';
import { aMessage } from '../support/torture-messages.ts';
import { Wire } from '../support/wire.ts';

// The 49 messages of RFC 4475 and the 11 of RFC 5118 (IPv6) against sipd with an app that knows nobody: 404 means well formed,
// and not ours.

/** Status codes in the order they come; `closed`: the connection is closed after them. */
interface Answers {
  readonly udp: readonly number[];
  readonly tcp: readonly (number | 'closed')[];
}
const both = (...statuses: number[]): Answers => ({ udp: statuses, tcp: statuses });
const silence = both();

const expected: Readonly<Record<string, Answers>> = {
  // 3.1.1: valid
  wsinv: both(481), // Its To has a tag: of a dialog that is not ours.
  intmeth: both(501),
  esc01: both(404),
  escnull: both(200),
  esc02: both(501),
  lwsdisp: both(200),
  longreq: both(404),
  dblreq: { udp: [200], tcp: [200, 404, 'closed'] },
  semiuri: both(200),
  transports: both(200),
  mpart01: both(202),
  unreason: silence,
  noreason: silence,
  // 3.1.2: invalid
  badinv01: both(400),
  clerr: { udp: [400], tcp: ['closed'] },
  ncl: { udp: [400], tcp: [400, 'closed'] },
  scalar02: both(400),
  scalarlg: silence,
  quotbal: both(400),
  ltgtruri: both(400),
  lwsruri: both(400),
  lwsstart: both(400),
  trws: both(400),
  escruri: both(400),
  baddate: both(404),
  regbadct: both(400),
  badaspec: both(400),
  baddn: both(400),
  badvers: both(505),
  mismatch01: both(400),
  mismatch02: both(501),
  bigcode: silence,
  // 3.2: transactions
  badbranch: both(400),
  // 3.3: what the application sees
  insuf: { udp: [400], tcp: [400, 'closed'] },
  unkscm: both(416),
  novelsc: both(416),
  unksm2: both(400),
  bext01: both(420),
  invut: both(415),
  regaut01: both(200),
  multi01: both(400),
  mcl01: { udp: [400], tcp: [400, 'closed'] },
  bcast: silence,
  zeromf: both(200),
  cparam01: both(200),
  cparam02: both(200),
  regescrt: both(200),
  sdp01: both(406),
  // 3.4: without a Content-Length nobody can tell where it ends on a stream (RFC 3261 20.14).
  inv2543: { udp: [404], tcp: [400, 'closed'] },
};

/** RFC 5118 4.1 to 4.10. */
const expectedOfIpv6: typeof expected = {
  'ipv6-good': both(200),
  'ipv6-bad': both(400),
  'port-ambiguous': both(200), // All of it is the address.
  'port-unambiguous': both(200),
  'via-received-param-with-delim': both(481), // Of a dialog that is not ours, and the same with several Via.
  'via-received-param-no-delim': both(200),
  'ipv6-in-sdp': both(404),
  'mult-ip-in-header': both(481),
  'mult-ip-in-sdp': both(404),
  'ipv4-mapped-ipv6': both(404),
  'ipv6-bug-abnf-3-colons': both(400),
};

/** `host`: where sipd listens; `from`: whose bytes they seem to be by UDP; `near`: who else sends, and what ours go to. */
const corpora = [
  { rfc: 'rfc4475', count: 49, expected, host: '127.0.0.1', from: '192.0.2.50', near: '192.0.2.5' },
  { rfc: 'rfc5118', count: 11, expected: expectedOfIpv6, host: '::1', from: '2001:db8::9:1', near: '2001:db8::9:' },
].map((corpus) => ({ ...corpus, messages: messagesOf(corpus.rfc) }));

interface Seen {
  readonly method: string;
  readonly uri: string;
  readonly contact: string | undefined;
  readonly body: string;
}

/** sipd on a wire of the test and on real TCP, its timers so short that nothing lingers. */
async function aSipd(t: { teardown(action: () => Promise<void>): void }, host: string) {
  const wire = new Wire();
  const options = sipdOptionsSchema.parse({
    sip: [
      { protocol: 'udp', host, port: 0 },
      { protocol: 'tcp', host, port: 0 },
    ],
    control: { port: 0 },
    secret,
    timers: { t1Ms: 1, t2Ms: 4, t4Ms: 5 },
    limits: { tcpMessageWithinMs: 5_000 },
  });
  const sipd = await SipdServer.open(options, silentLogger, wire.network);
  const seen: Seen[] = [];
  const app = await openApp(sipd, 'pbx', (srf) => {
    const statuses = { invite: 404, register: 200, options: 200, message: 202 };
    for (const [method, status] of Object.entries(statuses)) {
      (srf as unknown as { use(method: string, handle: (req: Request, res: Response) => void): void }).use(
        method,
        (req, res) => {
          seen.push({ method: req.method, uri: req.uri, contact: req.get('Contact'), body: req.body });
          res.send(status);
        },
      );
    }
  });
  t.teardown(async () => {
    app.disconnect();
    await sipd.close();
  });
  return { sipd, wire, seen };
}
type Test = Parameters<typeof aSipd>[0] & Pick<typeof t, 'same' | 'ok' | 'match' | 'equal'>;
interface Request {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  get(name: string): string | undefined;
}
interface Response {
  send(status: number): void;
}

function messagesOf(rfc: string) {
  const folder = join(import.meta.dirname, rfc);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.dat'))
    .map((name) => ({ name: name.slice(0, -4), bytes: readFileSync(join(folder, name)) }));
}
const statusOf = (text: string) => Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);
/** 100 says nothing of what becomes of a request. */
const statusesIn = (text: string) =>
  [...text.matchAll(/^SIP\/2\.0 (\d{3})/gm)].map(([, status]) => Number(status)).filter((status) => status > 100);
let probes = 0;
const probe = () => {
  const mark = `probe${++probes}`;
  return Buffer.from(aMessage({ Via: `SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK${mark}`, 'Call-ID': mark }));
};

t.test('all of them are there', (t) => {
  for (const { messages, count, expected } of corpora) {
    t.same(messages.map(({ name }) => name).toSorted(), Object.keys(expected).toSorted());
    t.equal(messages.length, count);
  }
  t.end();
});

async function overUdp(t: Test, { messages, expected, host, from, near }: (typeof corpora)[number]): Promise<Seen[]> {
  const { sipd, wire, seen } = await aSipd(t, host);
  const texts = () => wire.sent.map(({ bytes }) => bytes.toString());
  for (const { name, bytes } of messages) {
    // Many of them share a branch: none may be taken for another one that came again.
    await until('nothing to linger', () => sipd.metrics['servers'] === 0);
    wire.sent.length = 0;
    wire.arrives(bytes, { host: from, port: 5060 });
    wire.arrives(probe(), { host: `${near}1`, port: 5060 });
    await until(`the probe after ${name}`, () => texts().some((text) => /z9hG4bKprobe/.test(text)));
    const wanted = expected[name]?.udp ?? [];
    await until(`the answer to ${name}`, () => statusesIn(texts().join('\n')).length > wanted.length);
    const answers = texts().filter((text) => !/z9hG4bKprobe/.test(text) && statusOf(text) > 100);
    t.same([...new Set(answers.map(statusOf))], wanted, name);
    t.ok(
      wire.sent.every(({ to }) => to.host.startsWith(near)),
      `${name} makes us send to nobody but its sender`,
    );
    const text = answers.join('\n');
    if (name === 'bext01') {
      const tags = [
        'nothingSupportsThis',
        'nothingSupportsThisEither',
        'noProxiesSupportThis',
        'norDoAnyProxiesSupportThis',
      ];
      t.match(text, `Unsupported: ${tags.join(', ')}\r\n`);
    }
    if (name === 'invut') t.match(text, 'Accept: application/sdp\r\n');
    if (name === 'longreq') t.match(text, /^From: .*;tag=\S{100,}/m, 'the long tag whole');
    if (name === 'via-received-param-with-delim') t.match(text, /^Via: SIP\/2\.0\/UDP \[2001:db8::9:1\];.*received=/m);
    if (name === 'mult-ip-in-header') t.match(text.match(/^Via: .*$/gm), { length: 3 }, 'each Via goes back');
  }
  return seen;
}

t.test('RFC 4475 over UDP: each gets its exact answer, and the next honest request is served', async (t) => {
  const seen = await overUdp(t, corpora[0]!);
  const shown = (what: string) => seen.filter(({ method }) => method === what);
  t.ok(
    shown('INVITE').some(({ uri }) => uri === 'sip:sips%3Auser%40example.com@example.net'),
    'unescaped by nobody',
  );
  const contacts = shown('REGISTER').map(({ contact }) => contact);
  t.ok(
    contacts.some((contact) => contact?.includes('%00')),
    'a user with %00 is not shortened',
  );
  t.ok(contacts.includes('sip:+19725552222@gw1.example.net;unknownparam'), 'cparam01: a parameter of the header');
  t.ok(contacts.includes('<sip:+19725552222@gw1.example.net;unknownparam>'), 'cparam02: a parameter of the URI');
  t.match(shown('MESSAGE')[0]?.body, '7a9cbec02ceef655--', 'a body with NUL bytes in it');
});

t.test('RFC 5118 over UDP: the same, from addresses of IPv6', async (t) => {
  const seen = await overUdp(t, corpora[1]!);
  const uris = seen.map(({ uri }) => uri);
  for (const uri of ['sip:[2001:db8::10]', 'sip:[2001:db8::10:5070]', 'sip:[2001:db8::10]:5070'])
    t.ok(uris.includes(uri), `${uri} as it was sent`);
  t.ok(
    seen.some(({ body }) => body.includes('c=IN IP6 2001:db8::20')),
    'a description of IPv6 as it was sent',
  );
});

for (const corpus of corpora) {
  t.test(`${corpus.rfc} over TCP, byte by byte: the same, and lost framing closes`, (t) => overTcp(t, corpus));
}

async function overTcp(t: Test, { messages, expected, host }: (typeof corpora)[number]): Promise<void> {
  const { sipd } = await aSipd(t, host);
  const port = Number(
    sipd.addresses.sip
      .find((text) => text.startsWith('tcp'))
      ?.split(':')
      .at(-1),
  );
  for (const { name, bytes } of messages) {
    await until('nothing to linger', () => sipd.metrics['servers'] === 0);
    // clerr waits for the rest of its body; nothing else has to.
    const socket = connect({ port, host, noDelay: true });
    let heard = '';
    let isClosed = false;
    socket.on('data', (chunk) => (heard += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => (isClosed = true));
    await once(socket, 'connect');
    const wanted = expected[name]?.tcp ?? [];
    const statuses = wanted.filter((one) => one !== 'closed');
    for (const byte of bytes) socket.write(Buffer.of(byte));
    if (wanted.includes('closed')) await until(`${name} to be closed`, () => isClosed);
    else {
      await until(`the answers to ${name}`, () => statusesIn(heard).length >= statuses.length);
      socket.write(probe());
      await until(`the probe after ${name}`, () => /z9hG4bKprobe/.test(heard));
      t.equal(isClosed, false, `${name} leaves the connection open`);
    }
    const withoutProbe = heard.replace(/SIP\/2\.0 200 OK\r\nVia: [^\r]*z9hG4bKprobe/, '');
    t.same([...new Set(statusesIn(withoutProbe))], statuses, name);
    socket.destroy();
  }
}
