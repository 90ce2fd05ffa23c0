import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sendNotices } from '../../src/cli/app/notices.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import { nextTry, noticesOf } from '../../src/core/voicemail/index.ts';
import { type NoticeBook, systemClock } from '../../src/engine/index.ts';
import { openStore, type Store } from '../../src/storage/index.ts';
import { phiSealer } from '../../src/vault/index.ts';
import { HttpPosts } from '../../src/webhooks/index.ts';
import { aPlan, noon, phones } from '../support/lakeside.ts';
import { leftMessage as message } from '../support/left-message.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A program on loopback that answers with what `statuses` says next, and with 200 behind that. */
async function gateway(t: Test, statuses: number[] = []) {
  const told: { readonly headers: IncomingHttpHeaders; readonly body: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      told.push({ headers: request.headers, body: JSON.parse(text) as Record<string, unknown> });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sms`, told };
}

const planFor = (url: string) =>
  aPlan([], {
    hooks: [
      { id: 'team', url, waitMs: 2_000, send: [] },
      { id: 'sms', url, waitMs: 10_000, send: [] },
    ],
    mailboxes: [
      { id: 'office', name: 'Office' },
      { id: 'cardiology', name: 'Cardiology' },
      { id: phones.ames, name: 'Dr Ames', notify: [{ hook: 'sms', to: '+12025550111' }, { hook: 'team' }] },
    ],
  });

async function aStore(t: Test): Promise<Store> {
  const store = await openStore(join(t.testdir(), 'wardline.db'), { sealer: phiSealer(new Uint8Array(32)) });
  t.teardown(() => store.close());
  return store;
}

/** A book with other ways to do some things. */
function over(book: NoticeBook, other: Partial<NoticeBook>): NoticeBook {
  const same: NoticeBook = {
    due: (...args) => book.due(...args),
    begun: (...args) => book.begun(...args),
    failed: (...args) => book.failed(...args),
    over: (...args) => book.over(...args),
    recorded: (...args) => book.recorded(...args),
  };
  return { ...same, ...other };
}

function sends(store: { readonly notices: NoticeBook }, url: string, clock: VirtualClock) {
  const facts: SystemFact[] = [];
  let close: () => unknown = () => {};
  const mailer = { send: async () => ({ kind: 'taken' }) as const };
  const posts = new HttpPosts({ clock: systemClock, options: { allow: ['127.0.0.1'] } });
  const log = { info() {}, warn() {}, error() {} };
  const record = async (fact: SystemFact) => facts.push(fact);
  sendNotices(
    { book: store.notices, posts, mailer, plan: () => planFor(url), clock, log, record },
    { add: (_part, run) => (close = run) },
  );
  return { facts, close: async () => close() };
}

void t.test('a message and its notices are kept together; nothing in them names a caller', async (t) => {
  const { url, told } = await gateway(t);
  const store = await aStore(t);
  await store.saveMessage(message, noticesOf(planFor(url), message));
  // A recovery enters it again.
  await store.saveMessage(message, noticesOf(planFor(url), message));
  t.equal(store.notices.waiting, 2);
  const house = sends(store, url, new VirtualClock(noon));
  await until('both to be told', () => house.facts.length === 2);
  t.same(told.map(({ body }) => body['to']).sort(), ['+12025550111', undefined]);
  t.match(
    told.find(({ body }) => body['to'] !== undefined),
    {
      headers: { 'idempotency-key': 'M1 sms +12025550111' },
      body: {
        event: 'messageLeft',
        mailbox: phones.ames,
        urgent: true,
        text: 'Lakeside: an urgent message waits in the mailbox Dr Ames.',
      },
    },
  );
  t.notMatch(JSON.stringify(told), /0166|K7QX|sealed/, 'no number, no call, no sound');
  t.match(house.facts, [{ fact: 'noticeSent', tries: 1 }, { fact: 'noticeSent' }]);
  t.equal(store.notices.waiting, 0);
  await house.close();
  const next = sends(store, url, new VirtualClock(plusMs(noon, 3_600_000)));
  await store.saveMessage(message, noticesOf(planFor(url), message));
  await next.close();
  t.equal(told.length, 2, 'never twice');
});

void t.test('a program that fails is told later, over a restart too, and given up after three days', async (t) => {
  const { url, told } = await gateway(t, [500, 503]);
  const store = await aStore(t);
  const [notice] = noticesOf(planFor(url), message);
  await store.saveMessage(message, notice === undefined ? [] : [notice]);
  const clock = new VirtualClock(noon);
  const first = sends(store, url, clock);
  await until('the first try', () => clock.pending > 0);
  t.equal(store.notices.due(clock.now(), 9).length, 0, 'not at once again');
  const passes = (): void => clock.advance(1000);
  await until('the second try', () => {
    passes();
    return told.length === 2;
  });
  t.ok(clock.now() >= noon + 10_000, 'not before ten seconds');
  await until('it to be noted', () => {
    const [noted] = store.notices.list('waiting', 1);
    return noted?.tries === 2 && noted.begunAt === null;
  });
  await first.close();
  clock.advance(60_000);
  const second = sends(store, url, clock);
  await until('it to be told', () => second.facts.length === 1);
  t.match(second.facts, [{ fact: 'noticeSent', hook: 'sms', tries: 3 }]);
  await second.close();

  t.equal(nextTry({ madeAt: noon }, 1, noon), noon + 10_000);
  t.equal(nextTry({ madeAt: noon }, 40, noon), noon + 3_600_000, 'at least once an hour');
  await store.saveMessage({ ...message, messageId: 'M2' }, noticesOf(planFor(url), { ...message, messageId: 'M2' }));
  const late = sends(store, 'http://127.0.0.1:1/', new VirtualClock(plusMs(noon, 3 * 86_400_000)));
  await until('both to be given up', () => late.facts.length === 2);
  t.match(late.facts[0], { fact: 'noticeGivenUp', messageId: 'M2', because: /ECONNREFUSED/ });
  await late.close();
});

void t.test(
  'a program is told once, also where the store cannot note it at first, or the house stops meanwhile',
  async (t) => {
    const { url, told } = await gateway(t);
    const store = await aStore(t);
    const notices = noticesOf(planFor(url), message);
    await store.saveMessage(message, notices);
    let refusals = 2;
    const book = over(store.notices, {
      over: (...args) => {
        if (refusals-- > 0) throw new Error('the disk is full');
        store.notices.over(...args);
      },
    });
    const clock = new VirtualClock(noon);
    const house = sends({ notices: book }, url, clock);
    await until('the store to take it', () => {
      clock.advance(1000);
      return house.facts.length === 2;
    });
    t.equal(told.length, 2);
    await house.close();

    await store.saveMessage({ ...message, messageId: 'M2' }, noticesOf(planFor(url), { ...message, messageId: 'M2' }));
    const stops = sends(store, url, clock);
    await stops.close();
    t.same([told.length, stops.facts.length, store.notices.waiting], [4, 2, 0], 'what is on its way is noted');
  },
);
