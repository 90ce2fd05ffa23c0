import { type AddressInfo, connect as createSocket, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sendNotices } from '../../src/cli/app/notices.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import { noticesOf } from '../../src/core/voicemail/index.ts';
import type { NoticeBook } from '../../src/engine/index.ts';
import { Mailer } from '../../src/mail/index.ts';
import { mailOptions, type MailOptions } from '../../src/mail/options.ts';
import { openStore } from '../../src/storage/index.ts';
import { phiSealer } from '../../src/vault/index.ts';
import { Authority } from '../support/certificates.ts';
import { aPlan, noon, phones } from '../support/lakeside.ts';
import { leftMessage as message } from '../support/left-message.ts';
import { MailServer } from '../support/mail-server.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// Notices by e-mail, to real mail servers on loopback.

const folder = t.testdir({});
const authority = new Authority(folder);
const pair = authority.issue('mx');
const stranger = new Authority(folder, 'stranger');

const plan = aPlan([], {
  hooks: [{ id: 'team', url: 'http://127.0.0.1/', waitMs: 1000, send: [] }],
  mailboxes: [
    { id: 'office', name: 'Office' },
    { id: 'cardiology', name: 'Cardiology' },
    { id: phones.ames, name: 'Dr Ames', notify: [{ email: 'ames@lakeside.example' }] },
  ],
});

async function aServer(
  t: Test,
  ...parts: ConstructorParameters<typeof MailServer> extends [unknown, ...infer R] ? R : never
) {
  const server = new MailServer(pair, ...parts);
  const port = await server.listen();
  t.teardown(() => server.close());
  return { server, port };
}

function aMailer(port: number, options: Partial<MailOptions> = {}, authorities = authority.pem) {
  const from = 'telephones@lakeside.example';
  return new Mailer({
    options: mailOptions.parse({ host: '127.0.0.1', port, from, ...options }),
    password: 'geheim',
    authorities,
    patienceMs: 2_000,
  });
}

async function aStore(t: Test) {
  const store = await openStore(join(t.testdir(), 'wardline.db'), { sealer: phiSealer(new Uint8Array(32)) });
  t.teardown(() => store.close());
  return store;
}

function sends(book: NoticeBook, mailer: Pick<Mailer, 'send'>, clock: VirtualClock) {
  const facts: SystemFact[] = [];
  const whys: string[] = [];
  let close: () => unknown = () => {};
  sendNotices(
    {
      book,
      mailer,
      posts: { post: async () => ({ kind: 'failed', why: 'not asked', isUnsure: false }) },
      plan: () => plan,
      clock,
      log: { info() {}, warn: (fields) => whys.push((fields as { why: string }).why), error() {} },
      record: async (fact) => facts.push(fact),
    },
    { add: (_part, run) => (close = run) },
  );
  return { facts, whys, close: async () => close() };
}

const headerOf = (text: string, name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(text)?.[1]?.trim();

void t.test('a letter goes over TLS and names no caller', async (t) => {
  const { server, port } = await aServer(t);
  const store = await aStore(t);
  await store.saveMessage(message, noticesOf(plan, message));
  await store.saveMessage(message, noticesOf(plan, message));
  t.equal(store.notices.waiting, 1);
  const house = sends(store.notices, aMailer(port), new VirtualClock(noon));
  await until('the letter to be noted', () => house.facts.length === 1);
  await house.close();
  t.match(server.received, [{ to: ['ames@lakeside.example'], isSecure: true, user: null }]);
  const { text } = server.received[0]!;
  t.equal(headerOf(text, 'subject'), 'Lakeside: an urgent message waits');
  t.equal(headerOf(text, 'from'), 'telephones@lakeside.example');
  t.equal(headerOf(text, 'auto-submitted'), 'auto-generated');
  t.match(headerOf(text, 'message-id'), /^<[0-9a-f]{32}@lakeside\.example>$/);
  t.match(text, 'an urgent message waits in the mailbox Dr Ames.');
  t.notMatch(text, /0166|K7QX|M1|sealed/, 'no number, no call, no sound');
  t.match(house.facts, [{ fact: 'noticeSent', messageId: 'M1', hook: '', tries: 1 }]);
  t.equal(store.notices.waiting, 0);
});

void t.test(
  'a server that refuses gets the same letter again, until it takes it; also from the next process',
  async (t) => {
    const { server, port } = await aServer(t, ['try again later', 'mailbox is busy']);
    const store = await aStore(t);
    await store.saveMessage(message, noticesOf(plan, message));
    const clock = new VirtualClock(noon);
    const first = sends(store.notices, aMailer(port), clock);
    await until('the first refusal', () => first.whys.length === 1);
    t.match(first.whys, [/451.*try again later/]);
    await until('the second refusal', () => {
      clock.advance(1_000);
      return first.whys.length === 2;
    });
    t.ok(clock.now() >= noon + 10_000, 'not before ten seconds');
    t.equal(server.received.length, 0);
    await first.close();
    clock.advance(60_000);
    const next = sends(store.notices, aMailer(port), clock);
    await until('it to be taken', () => next.facts.length === 1);
    await next.close();
    t.match(next.facts, [{ fact: 'noticeSent', tries: 3 }]);
    t.equal(server.received.length, 1);
  },
);

void t.test('dead between the 250 and the note: the next process sends the very same letter', async (t) => {
  const { server, port } = await aServer(t);
  const store = await aStore(t);
  await store.saveMessage(message, noticesOf(plan, message));
  let isDead = false;
  const dies: NoticeBook = {
    due: (...args) => (isDead ? [] : store.notices.due(...args)),
    begun: (...args) => store.notices.begun(...args),
    failed: (...args) => store.notices.failed(...args),
    // The process is gone before this is written, and whatever it had in memory with it.
    over: () => {
      isDead = true;
      throw new Error('killed');
    },
    recorded: (...args) => store.notices.recorded(...args),
  };
  const first = sends(dies, aMailer(port), new VirtualClock(noon));
  await until('the process to die', () => isDead);
  await first.close();
  t.same([server.received.length, store.notices.waiting], [1, 1]);
  const next = sends(store.notices, aMailer(port), new VirtualClock(noon));
  await until('the note', () => next.facts.length === 2);
  await next.close();
  t.match(next.facts, [
    { fact: 'noticeRepeated', hook: '', tries: 1 },
    { fact: 'noticeSent', hook: '', tries: 2 },
  ]);
  const [one, other] = server.received.map(({ text }) => text);
  t.equal(headerOf(one!, 'message-id'), headerOf(other!, 'message-id'));
  t.equal(headerOf(one!, 'date'), headerOf(other!, 'date'));
  t.equal(store.notices.waiting, 0);
});

void t.test('a connection that breaks before the 250 loses nothing', async (t) => {
  const { server, port } = await aServer(t);
  const sockets = new Set<Socket>();
  let isBreaking = true;
  // Between the house and its server; it goes down when the letter is whole.
  const line = createServer((socket) => {
    const far = createSocket(port);
    for (const one of [socket, far]) one.on('error', () => {});
    for (const one of [socket, far]) sockets.add(one);
    socket.pipe(far).pipe(socket);
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  t.teardown(() => line.close());
  server.whenWhole = () => {
    if (isBreaking) for (const socket of sockets) socket.destroy();
  };
  const store = await aStore(t);
  await store.saveMessage(message, noticesOf(plan, message));
  const clock = new VirtualClock(noon);
  const house = sends(store.notices, aMailer((line.address() as AddressInfo).port), clock);
  await until('the break to be noticed', () => house.whys.length === 1);
  isBreaking = false;
  await until('it to be taken', () => {
    clock.advance(1_000);
    return house.facts.length === 2;
  });
  await house.close();
  // The server had all of it, and its answer was lost: nobody knows whether it was kept.
  t.match(house.facts, [
    { fact: 'noticeRepeated', tries: 1 },
    { fact: 'noticeSent', tries: 2 },
  ]);
});

void t.test('without TLS nothing is said, unless the configuration says so', async (t) => {
  const letter = { id: 'a', to: 'ames@lakeside.example', subject: 's', text: 'x', at: noon };
  const plain = await aServer(t, [], { disabledCommands: ['STARTTLS'] });
  t.match(await aMailer(plain.port).send(letter), { kind: 'failed', why: /STARTTLS|TLS/i });
  t.equal(plain.server.received.length, 0);
  t.same(await aMailer(plain.port, { security: 'none' }).send(letter), { kind: 'taken' });
  const strict = await aServer(t);
  t.match(await aMailer(strict.port, {}, stranger.pem).send(letter), { kind: 'failed', why: /certificate/ });
  t.equal(strict.server.received.length, 0, 'a server that nobody vouches for gets nothing');
  const direct = await aServer(t, [], { secure: true });
  t.same(await aMailer(direct.port, { security: 'tls' }).send(letter), { kind: 'taken' });
  t.match(direct.server.received, [{ isSecure: true }]);
});

void t.test('signing in, wrong addresses, no server', async (t) => {
  const letter = { id: 'a', to: 'ames@lakeside.example', subject: 's', text: 'x', at: noon };
  const { server, port } = await aServer(t, [], {
    authOptional: false,
    onAuth: ({ username, password }, _session, done) =>
      password === 'geheim' ? done(null, { user: username }) : done(new Error('no')),
  });
  t.same(await aMailer(port, { user: 'pbx' }).send(letter), { kind: 'taken' });
  t.match(server.received, [{ user: 'pbx', isSecure: true }]);
  t.match(await aMailer(port).send(letter), { kind: 'failed', why: /530|authentication/i });
  t.match(await aMailer(port, { host: '' }).send(letter), { kind: 'failed', why: /set mail\.host/ });
  t.match(await aMailer(1).send(letter), { kind: 'failed', why: /ECONNREFUSED/ });
  const sly = { ...letter, to: 'a@lakeside.example\r\nRCPT TO:<b@evil.example>', subject: 's\r\nBcc: b@evil.example' };
  await aMailer(port, { user: 'pbx' }).send(sly);
  t.notOk(server.received.some(({ to, text }) => to.includes('b@evil.example') || /^Bcc/im.test(text)));
});
